//! What made-up posts are made of.

/// What posts are about.
#[derive(Debug)]
pub(super) struct Topic {
    /// Its hashtag.
    pub(super) tag: &'static str,
    /// How it is called in each of [`LANGUAGES`].
    pub(super) names: [&'static str; 4],
    /// How long its mood takes to swing forth and back, in seconds.
    pub(super) period: f64,
}

pub(super) const TOPICS: [Topic; 8] = [
    Topic {
        tag: "trains",
        names: [
            "the morning train",
            "der Zug am Morgen",
            "el tren de la mañana",
            "le train du matin",
        ],
        period: 240.0,
    },
    Topic {
        tag: "coffee",
        names: [
            "the coffee at the corner",
            "der Kaffee an der Ecke",
            "el café de la esquina",
            "le café du coin",
        ],
        period: 420.0,
    },
    Topic {
        tag: "rust",
        names: [
            "the new compiler",
            "der neue Compiler",
            "el nuevo compilador",
            "le nouveau compilateur",
        ],
        period: 360.0,
    },
    Topic {
        tag: "python",
        names: [
            "our old script",
            "unser altes Skript",
            "nuestro viejo script",
            "notre vieux script",
        ],
        period: 300.0,
    },
    Topic {
        tag: "football",
        names: [
            "the match tonight",
            "das Spiel heute Abend",
            "el partido de esta noche",
            "le match de ce soir",
        ],
        period: 180.0,
    },
    Topic {
        tag: "weather",
        names: [
            "the weather here",
            "das Wetter hier",
            "el tiempo aquí",
            "la météo ici",
        ],
        period: 540.0,
    },
    Topic {
        tag: "phones",
        names: [
            "my new phone",
            "mein neues Handy",
            "mi teléfono nuevo",
            "mon nouveau téléphone",
        ],
        period: 330.0,
    },
    Topic {
        tag: "concert",
        names: ["the concert", "das Konzert", "el concierto", "le concert"],
        period: 270.0,
    },
];

/// What posts are written in, and how many of a hundred are.
pub(super) const LANGUAGES: [(&str, u64); 4] = [("en", 70), ("de", 12), ("es", 10), ("fr", 8)];

/// What is said of a topic in each language, by mood: bad, plain, good. A brace pair stands for the topic.
pub(super) const SENTENCES: [[&[&str]; 3]; 4] = [
    [
        &[
            "{} is a disaster today",
            "I hate what happened to {}",
            "{} let me down again, so annoying",
            "honestly, {} is terrible",
            "worst day in weeks, thanks to {}",
            "so disappointed by {}",
            "{} is broken and nobody cares",
            "what a sad state {} is in",
        ],
        &[
            "heard something about {} just now",
            "{} again",
            "does anyone know more about {}?",
            "on my way, {} first",
            "notes on {}, part two",
            "{} at nine, as every week",
            "a question about {}",
            "reading up on {} today",
        ],
        &[
            "{} made my day",
            "I love {}, it is wonderful",
            "wow, {} is great today",
            "so happy with {} right now",
            "{} is the best thing this week",
            "great news about {}",
            "{} was a beautiful surprise",
            "thank you, {} is perfect",
        ],
    ],
    [
        &[
            "{} ist heute eine Katastrophe",
            "so ein Ärger mit dem Thema: {}",
            "{} enttäuscht mich wieder",
        ],
        &[
            "{}, wie jede Woche",
            "weiß jemand mehr? {}",
            "gerade gehört: {}",
        ],
        &[
            "{} macht mich heute glücklich",
            "{} ist einfach wunderbar",
            "so schön: {}",
        ],
    ],
    [
        &[
            "{} es un desastre hoy",
            "qué mal va {}",
            "{} me decepciona otra vez",
        ],
        &[
            "{}, como cada semana",
            "¿alguien sabe algo más? {}",
            "acabo de leer sobre esto: {}",
        ],
        &[
            "{} me alegra el día",
            "{} es una maravilla",
            "me encanta {}",
        ],
    ],
    [
        &[
            "{} est une catastrophe aujourd'hui",
            "quelle déception, {}",
            "{} m'énerve encore",
        ],
        &[
            "{}, comme chaque semaine",
            "quelqu'un en sait plus ? {}",
            "vu à l'instant : {}",
        ],
        &[
            "{} me rend heureux aujourd'hui",
            "{} est magnifique",
            "j'adore {}",
        ],
    ],
];

/// What a post may end with, by mood.
pub(super) const ENDINGS: [&[&str]; 3] = [
    &["", "", ".", "!!", " 😡", " 😞", " :(", " ugh"],
    &["", "", "", ".", "…"],
    &["", "", ".", "!", "!!", " 😀", " ❤️", " :)"],
];

/// First parts and second parts of the names of users.
pub(super) const FIRST: [&str; 16] = [
    "ana", "ben", "chen", "dora", "emil", "fatou", "gus", "hana", "ivo", "june", "kai", "lea",
    "milo", "nora", "omar", "pia",
];
pub(super) const SECOND: [&str; 8] = [
    "writes", "codes", "rides", "reads", "sings", "travels", "cooks", "runs",
];
