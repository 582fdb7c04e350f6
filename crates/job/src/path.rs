//! Paths in messages, as bytes. serde's own encoding of a `Path` fails if it is not UTF-8.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<P, S>(path: P, serializer: S) -> Result<S::Ok, S::Error>
where
    P: AsRef<Path>,
    S: Serializer,
{
    serializer.serialize_bytes(path.as_ref().as_os_str().as_bytes())
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
    Ok(OsString::from_vec(bytes).into())
}

/// A path that is borrowed from the message.
pub(crate) mod borrowed {
    pub(crate) use super::serialize;
    use super::{Deserialize, Deserializer, OsStr, OsStrExt, Path};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'de Path, D::Error> {
        let bytes = <&[u8]>::deserialize(deserializer)?;
        Ok(Path::new(OsStr::from_bytes(bytes)))
    }
}

/// A path that there may be.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, OsString, OsStringExt, PathBuf, Serializer};
    use serde::Serialize;
    use serde_bytes::ByteBuf;
    use std::os::unix::ffi::OsStrExt;

    #[expect(clippy::ref_option, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(
        path: &Option<PathBuf>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = path.as_ref().map(|path| path.as_os_str().as_bytes());
        bytes.map(serde_bytes::Bytes::new).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<PathBuf>, D::Error> {
        let bytes = Option::<ByteBuf>::deserialize(deserializer)?;
        Ok(bytes.map(|bytes| OsString::from_vec(bytes.into_vec()).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use moodring_pool::wire;
    use serde::Serialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Message<'a> {
        #[serde(with = "super")]
        owned: PathBuf,
        #[serde(with = "super::borrowed", borrow)]
        borrowed: &'a Path,
        #[serde(with = "super::optional")]
        optional: Option<PathBuf>,
    }

    #[test]
    fn any_path_arrives_as_it_was_sent() {
        let every_byte: Vec<u8> = (0..=255).collect();
        for bytes in [
            &b""[..],
            b"a/b.jsonl",
            "caf\u{e9}".as_bytes(),
            b"caf\xe9",
            &every_byte,
        ] {
            for is_there in [false, true] {
                let path = Path::new(OsStr::from_bytes(bytes));
                let sent = Message {
                    owned: path.to_owned(),
                    borrowed: path,
                    optional: is_there.then(|| path.to_owned()),
                };
                let frame = wire::encode(&sent).unwrap();
                assert_eq!(wire::decode::<Message<'_>>(&frame).unwrap(), sent);
            }
        }
    }
}
