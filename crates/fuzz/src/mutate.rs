//! Changes to an input, and the way back to a small one.

use std::ops::Range;

use crate::Dice;

/// Bytes at which parsers tend to turn.
const EDGES: &[u8] = b"\0\x01\t\n\r \"'\\,:;{}[]()#0-9.eE+\x7f\x80\xbf\xc0\xed\xf4\xff";

/// Changes an input once.
pub(crate) fn mutate(
    dice: &mut Dice,
    input: &mut Vec<u8>,
    corpus: &[Vec<u8>],
    dictionary: &[Vec<u8>],
) {
    let at = dice.below(input.len() + 1);
    match dice.below(12) {
        0 => change(dice, input, |dice, byte| *byte ^= 1 << dice.below(8)),
        1 => change(dice, input, |dice, byte| *byte = dice.byte()),
        2 => change(dice, input, |dice, byte| *byte = edge(dice)),
        3 => input.insert(at, edge(dice)),
        4 => drop(input.drain(piece(dice, input.len()))),
        // Repeat a piece, there or elsewhere, perhaps many times.
        5 => {
            let piece = input[piece(dice, input.len())].to_vec();
            let times = dice.geometric(40);
            input.splice(at..at, piece.repeat(times));
        }
        // Swap two pieces.
        6 => {
            let piece = piece(dice, input.len());
            let moved: Vec<u8> = input.drain(piece).collect();
            let at = dice.below(input.len() + 1);
            input.splice(at..at, moved);
        }
        // Go on as another input does.
        7 => {
            if let Some(other) = dice.pick(corpus) {
                let from = dice.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
        }
        // Take in a piece of another input.
        8 => {
            if let Some(other) = dice.pick(corpus) {
                let piece = piece(dice, other.len());
                input.splice(at..at, other[piece].iter().copied());
            }
        }
        // Insert a token, or put it in the place of a piece.
        9 | 10 => {
            if let Some(token) = dice.pick(dictionary) {
                let replaced = if dice.below(2) == 0 {
                    at..at
                } else {
                    piece(dice, input.len())
                };
                input.splice(replaced, token.iter().copied());
            }
        }
        _ => input.truncate(at),
    }
}

fn change(dice: &mut Dice, input: &mut [u8], how: impl FnOnce(&mut Dice, &mut u8)) {
    let at = dice.below(input.len());
    if let Some(byte) = input.get_mut(at) {
        how(dice, byte);
    }
}

fn edge(dice: &mut Dice) -> u8 {
    dice.pick(EDGES).copied().unwrap_or_default()
}

/// A piece of an input of this length, more often a short one.
fn piece(dice: &mut Dice, len: usize) -> Range<usize> {
    let start = dice.below(len + 1);
    let most = 1 << dice.below(9);
    start..len.min(start + 1 + dice.below(most))
}

/// Leaves out of an input whatever is not needed for it to fail.
pub(crate) fn smallest(input: &[u8], mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut input = input.to_vec();
    let mut size = input.len().next_power_of_two();
    while size > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut less = input.clone();
            less.drain(at..less.len().min(at + size));
            if fails(&less) {
                input = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    input
}
