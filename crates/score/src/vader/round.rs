//! Python's `round`: to the nearest decimal, and to the even one of two that are equally near.

/// At a magnitude of 2⁵², doubles are whole numbers: what is added and taken away again leaves a rounded number.
const WHOLE: f64 = 4_503_599_627_370_496.0;

/// `x`, which is in −1..1, rounded to `DECIMALS` decimals as `CPython` rounds it.
///
/// `CPython` rounds the exact binary value, not the decimal that is printed for it: 0.0005 is stored as a little more
/// than itself, hence `round(0.0005, 3)` is 0.001, while 0.0625 is stored exactly and `round(0.0625, 3)` is 0.062. The
/// zero that a small negative number becomes keeps its sign.
pub(super) fn round<const DECIMALS: i32>(x: f64) -> f64 {
    let power = f64::from(10_i32.pow(DECIMALS.unsigned_abs()));
    let magnitude = x.abs() * power;
    let mut nearest = (magnitude + WHOLE) - WHOLE;
    // The product was itself rounded. That matters only where it came out beside the middle of two whole numbers:
    // there a fused multiplication tells on which side the exact product lies.
    let beyond = magnitude - nearest;
    if beyond.abs() > 0.5 - 1e-9 {
        let below = if beyond > 0.0 { nearest } else { nearest - 1.0 };
        let beyond = x.abs().mul_add(power, -(below + 0.5));
        let is_below = beyond < 0.0 || (beyond == 0.0 && below % 2.0 == 0.0);
        nearest = if is_below { below } else { below + 1.0 };
    }
    (nearest / power).copysign(x)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The standard library formats the exact binary value, and rounds halves to even.
    fn by_formatting(x: f64, decimals: usize) -> f64 {
        format!("{x:.decimals$}").parse().unwrap()
    }

    #[test]
    fn halves_go_to_the_even_decimal() {
        assert_eq!(round::<3>(0.0625).to_bits(), 0.062_f64.to_bits());
        assert_eq!(round::<3>(0.1875).to_bits(), 0.188_f64.to_bits());
        assert_eq!(round::<3>(0.0005).to_bits(), 0.001_f64.to_bits());
    }

    #[test]
    fn zero_keeps_its_sign() {
        assert_eq!(round::<4>(-1e-17).to_bits(), (-0.0_f64).to_bits());
        assert_eq!(round::<4>(1e-17).to_bits(), 0.0_f64.to_bits());
    }

    proptest! {
        #[test]
        fn any_score_is_rounded_exactly(x in -1.0..=1.0_f64) {
            prop_assert_eq!(round::<3>(x).to_bits(), by_formatting(x, 3).to_bits());
            prop_assert_eq!(round::<4>(x).to_bits(), by_formatting(x, 4).to_bits());
        }

        #[test]
        fn the_neighbours_of_a_half_are_rounded_exactly(n in 0..10_000_u32, away in -3..=3_i64) {
            let half = (f64::from(n) + 0.5) / 10_000.0;
            let x = f64::from_bits(half.to_bits().wrapping_add_signed(away));
            prop_assert_eq!(round::<4>(x).to_bits(), by_formatting(x, 4).to_bits());
        }
    }
}
