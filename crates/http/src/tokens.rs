//! Access tokens and their scopes.
//!
//! Each line of a token file is a scope and a token: `read TOKEN`, `ingest TOKEN` or `admin TOKEN`. Empty lines and
//! lines that begin with `#` are skipped. An admin token allows everything.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::problem::Problem;

/// Maximum size of a token file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Minimum length of a token, in characters: 128 bits in base64.
const MIN_TOKEN: usize = 20;

/// The scope of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read everything.
    Read,
    /// Send posts.
    Ingest,
    /// Do everything.
    Admin,
}

impl Scope {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "read" => Self::Read,
            "ingest" => Self::Ingest,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
}

/// Why a token file cannot be used. No message holds a token.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BadTokens {
    /// The file cannot be read.
    #[error("cannot read the token file {path:?}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Other users can read the file.
    #[error(
        "other users may read the token file {path:?}: run `chmod 600` on it, and replace the tokens"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// A line is not a scope and a token.
    #[error(
        "line {line} of the token file {path:?} is not `read TOKEN`, `ingest TOKEN` or `admin TOKEN` with a token of at \
         least {MIN_TOKEN} visible characters"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
    },
    /// The file contains no token.
    #[error("the token file {path:?} has no token: write a line such as `ingest TOKEN`")]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// The tokens of a server. Debug output does not show them.
#[derive(Clone)]
pub struct Tokens(Vec<(Scope, Vec<u8>)>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({})", self.0.len())
    }
}

impl Tokens {
    /// Reads a token file.
    ///
    /// # Errors
    /// If it cannot be read, other users can read it, or it contains anything but tokens.
    pub fn read(path: &Path) -> Result<Self, BadTokens> {
        let unreadable = |source| BadTokens::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        let status = file.metadata().map_err(unreadable)?;
        if status.is_file() && status.mode() & 0o077 != 0 {
            return Err(BadTokens::Exposed {
                path: path.to_owned(),
            });
        }
        file.take(MAX_FILE)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, BadTokens> {
        let mut tokens = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut words = line.split_ascii_whitespace();
            let parsed = (
                words.next().and_then(Scope::parse),
                words.next(),
                words.next(),
            );
            match parsed {
                (Some(scope), Some(token), None)
                    if token.len() >= MIN_TOKEN
                        && token.bytes().all(|byte| byte.is_ascii_graphic()) =>
                {
                    tokens.push((scope, token.as_bytes().to_vec()));
                }
                _ => {
                    return Err(BadTokens::Line {
                        path: path.to_owned(),
                        line: at + 1,
                    });
                }
            }
        }
        if tokens.is_empty() {
            return Err(BadTokens::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Self(tokens))
    }

    /// Checks that a request has a token with the scope `wanted`. The time taken does not depend on which token
    /// matches.
    ///
    /// # Errors
    /// A problem for the client: 401 without a known token, 403 with one of another scope.
    pub fn check(&self, headers: &HeaderMap, wanted: Scope) -> Result<(), Problem> {
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().split_at_checked(7))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .map(|(_, token)| token.trim_ascii());
        let mut scopes = Vec::new();
        for (scope, token) in &self.0 {
            if given.is_some_and(|given| bool::from(given.ct_eq(token))) {
                scopes.push(*scope);
            }
        }
        if scopes.is_empty() {
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "send a token of this server as `Authorization: Bearer TOKEN`",
            ));
        }
        if scopes.contains(&wanted) || scopes.contains(&Scope::Admin) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this token does not allow that; use one of another scope",
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const FILE: &str = "# the shop\ningest 0123456789abcdefghij\n\nread  jihgfedcba9876543210\n";

    fn check(tokens: &Tokens, authorization: Option<&str>, wanted: Scope) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        let checked = tokens.check(&headers, wanted);
        checked.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn a_token_allows_its_scope_alone() {
        let tokens = Tokens::parse(Path::new("t"), FILE).unwrap();
        let ingest = Some("Bearer 0123456789abcdefghij");
        assert_eq!(check(&tokens, ingest, Scope::Ingest), 200);
        assert_eq!(check(&tokens, ingest, Scope::Read), 403);
        assert_eq!(check(&tokens, ingest, Scope::Admin), 403);
        for wrong in [
            None,
            Some("Bearer 0123456789abcdefghi"),
            Some("Bearer "),
            Some("Basic 0123456789abcdefghij"),
            Some("0123456789abcdefghij"),
        ] {
            assert_eq!(check(&tokens, wrong, Scope::Ingest), 401);
        }
        let admin = Tokens::parse(Path::new("t"), "admin 0123456789abcdefghij").unwrap();
        assert_eq!(check(&admin, ingest, Scope::Read), 200);
    }

    #[test]
    fn a_file_that_is_not_right_is_refused_without_a_token_in_the_message() {
        for wrong in [
            "",
            "# nothing",
            "ingest short",
            "write 0123456789abcdefghij",
            "0123456789abcdefghij",
            "read 0123456789abcdefghij more",
        ] {
            let error = Tokens::parse(Path::new("t"), wrong).unwrap_err();
            assert!(
                !format!("{error} {error:?}").contains("0123456789"),
                "{error}"
            );
        }
        let tokens = Tokens::parse(Path::new("t"), FILE).unwrap();
        assert!(!format!("{tokens:?}").contains("0123"));
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), FILE).unwrap();
        let mode = |mode| std::fs::set_permissions(file.path(), PermissionsExt::from_mode(mode));
        mode(0o644).unwrap();
        assert!(matches!(
            Tokens::read(file.path()),
            Err(BadTokens::Exposed { .. })
        ));
        mode(0o600).unwrap();
        assert!(Tokens::read(file.path()).is_ok());
    }
}
