//! The host names that requests may use.
//!
//! A page of another site can resolve a name of its own to 127.0.0.1 and make a browser send requests to a server on
//! this machine (DNS rebinding). So the `Host` of a request must be an allowed name, and so must its `Origin`, if it
//! has one.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;

use crate::problem::Problem;

/// The host names that requests may use.
#[derive(Debug, Clone)]
pub struct Names {
    allowed: Vec<String>,
}

impl Names {
    /// Allows `localhost`, any IP address, and `names`, such as that of a proxy.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        let mut allowed: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        allowed.push("localhost".to_owned());
        Self { allowed }
    }

    fn allows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // A request for an IP address cannot be the result of DNS rebinding.
        self.allowed.contains(&host) || bare.parse::<std::net::IpAddr>().is_ok()
    }

    /// Checks the `Host` and `Origin` of a request.
    ///
    /// # Errors
    /// A problem for the client.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let authority = host.and_then(|host| host.parse::<Authority>().ok());
        let Some(authority) = authority.filter(|it| self.allows(it.host())) else {
            let status = axum::http::StatusCode::MISDIRECTED_REQUEST;
            return Err(Problem::new(
                status,
                "the Host of this request is no name of this server; allow it with --allow-host",
            ));
        };
        let Some(origin) = headers.get(ORIGIN) else {
            return Ok(());
        };
        let same = origin
            .to_str()
            .ok()
            .and_then(|origin| origin.split_once("://"))
            .is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(authority.as_str()));
        if same {
            return Ok(());
        }
        Err(Problem::new(
            axum::http::StatusCode::FORBIDDEN,
            "a page of another origin may not call this server",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Option<&'static str>, origin: Option<&'static str>) -> u16 {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        let names = Names::new(&["Mood.example".to_owned()]);
        names
            .check(&headers)
            .map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn only_names_that_are_meant_are_answered() {
        for host in [
            "localhost",
            "LOCALHOST:8089",
            "127.0.0.1:8089",
            "[::1]:8089",
            "mood.example",
            "192.168.1.2",
        ] {
            assert_eq!(check(Some(host), None), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8089",
            "mood.example.",
        ] {
            assert_eq!(check(Some(host), None), 421, "{host}");
        }
        assert_eq!(check(None, None), 421);
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let host = Some("127.0.0.1:8089");
        assert_eq!(check(host, Some("http://127.0.0.1:8089")), 200);
        assert_eq!(check(host, Some("http://evil.example")), 403);
        assert_eq!(check(host, Some("http://127.0.0.1:80")), 403);
        assert_eq!(check(host, Some("null")), 403);
    }
}
