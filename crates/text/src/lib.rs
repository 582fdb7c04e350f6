//! Prepares text for scoring: cleaning, hashtags, tracked terms, language. Pure: no I/O and no clock.
