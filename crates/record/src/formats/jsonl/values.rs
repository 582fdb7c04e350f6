//! The values in a piece of JSON that is known to be well formed.

use sonic_rs::Read;
use sonic_rs::parser::Parser;

/// Calls `each` with the value of a Boolean, and with the strings, numbers and Booleans of an array; not with null, nor with
/// what is in objects or in further arrays. `json` is one value, which was checked.
pub(super) fn for_each_value_in(json: &str, each: &mut dyn FnMut(&str)) {
    let Some(inside) = json.strip_prefix('[') else {
        if json != "null" && !json.starts_with('{') {
            each(json);
        }
        return;
    };
    let mut parser = Parser::new(Read::from(inside)).utf8_lossy();
    let mut decoded = Vec::new();
    let mut depth = 0_usize;
    while let Some(token) = parser.skip_space() {
        match token {
            b'"' => match parser.parse_str(&mut decoded) {
                Ok(text) if depth == 0 => each(&text),
                Ok(_) => {}
                Err(_) => return,
            },
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 0 => return,
            b']' | b'}' => depth -= 1,
            b',' | b':' => {}
            _ => {
                let start = parser.offset() - 1;
                let rest = &inside[start..];
                let end = rest.find([',', ']', '}', ' ', '\t', '\r']);
                let value = &rest[..end.unwrap_or(rest.len())];
                if depth == 0 && value != "null" {
                    each(value);
                }
                // The rest of a number or a literal holds none of the signs above.
                for _ in 1..value.len() {
                    parser.skip_space();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(json: &str) -> Vec<String> {
        let mut values = Vec::new();
        for_each_value_in(json, &mut |value| values.push(value.to_owned()));
        values
    }

    #[test]
    fn an_array_has_the_values_in_it_and_none_of_deeper_ones() {
        let json = r#"[ "a", "\u00e9\ud83d\ude00" ,-1.5e3,true, null ,[1,["b"]],{"c":[2]},Infinity,"\ud800", "" ]"#;
        let expected = ["a", "é😀", "-1.5e3", "true", "Infinity", "\u{fffd}", ""];
        assert_eq!(values(json), expected);
        assert_eq!(values("[]"), [""; 0]);
        assert_eq!(values("[1]"), ["1"]);
    }

    #[test]
    fn null_and_objects_have_no_value() {
        assert_eq!(values("true"), ["true"]);
        assert_eq!(values("null"), [""; 0]);
        assert_eq!(values("{\"a\":1}"), [""; 0]);
    }
}
