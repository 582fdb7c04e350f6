//! What cannot be carried between processes is refused, and told.

use moodring_pool::typed::{Part, StartError};
use moodring_pool::{BoxError, Call, CallError, CodecError};
use serde::{Deserialize, Serialize};

use crate::support::builder;
use crate::test_call::{Carrier, Giver, Sparse, Untagged};

#[derive(Debug)]
struct Picky;

impl Call for Picky {
    type Setup = Untagged;
    type Input = ();
    type Output = ();

    fn start(_: Untagged) -> Result<Self, BoxError> {
        Ok(Self)
    }

    fn call(&mut self, (): ()) -> Result<(), BoxError> {
        Ok(())
    }
}

/// The errors of the first input and of a later one.
fn refused<T>(input: T) -> [CodecError; 2]
where
    T: Clone + Serialize + for<'a> Deserialize<'a>,
{
    let pool = builder::<Carrier<T>>(1, ()).start().unwrap();
    let inputs = [input.clone(), input];
    let errors = inputs.map(|input| match pool.submit(input).wait() {
        Err(CallError::Codec(error)) => error,
        other => panic!("{other:?}"),
    });
    assert_eq!(pool.stats().restarts(), 0);
    errors
}

#[test]
fn an_input_type_that_cannot_be_carried_is_refused_at_its_first_use() {
    for error in refused(Untagged::Number(1)) {
        let CodecError::Unsupported {
            part, type_name, ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(*part, Part::Input);
        assert!(type_name.ends_with("Untagged"), "{type_name}");
        assert!(error.to_string().contains("`untagged`"), "{error}");
    }
}

#[test]
fn an_input_that_leaves_fields_out_is_refused_at_its_first_use() {
    let sparse = Sparse {
        first: None,
        second: 1,
    };
    for error in refused(sparse) {
        let text = error.to_string();
        assert!(text.contains("`skip_serializing_if`"), "{text}");
    }
}

#[test]
fn an_output_type_that_cannot_be_carried_is_told_at_its_first_use() {
    let pool = builder::<Giver>(1, ()).start().unwrap();
    for result in pool.map([1, 2]) {
        let Err(CallError::Codec(CodecError::Unsupported {
            part, type_name, ..
        })) = result
        else {
            panic!("{result:?}")
        };
        assert_eq!(part, Part::Output);
        assert!(type_name.ends_with("Sparse"), "{type_name}");
    }
}

#[test]
fn a_setup_that_cannot_be_carried_is_refused_before_a_worker_starts() {
    let setup = Untagged::Text("large".to_owned());
    let refused = builder::<Picky>(1, setup).start().unwrap_err();
    let StartError::Setup(CodecError::Unsupported { part, .. }) = refused else {
        panic!("{refused}")
    };
    assert_eq!(part, Part::Setup);
}
