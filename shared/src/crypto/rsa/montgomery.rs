//! Modular exponentiation for public values: its time depends on them.
//!
//! Montgomery multiplication (P. L. Montgomery, "Modular multiplication without trial division", 1985)
//! with limbs of 32 bits, whose products fit the 64-bit multiplication that Wasm has.

/// An odd modulus, and what multiplying by it needs.
pub(super) struct Modulus {
    /// Least significant limb first; the last is not 0.
    limbs: Vec<u32>,
    /// -1 / modulus, modulo 2^32.
    negated_inverse: u32,
}

/// A number below its modulus; as many limbs as that, least significant first.
type Residue = Vec<u32>;

impl Modulus {
    /// `bytes` are the modulus, most significant byte first, without leading zeros. `None` if it is even
    /// or empty.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let limbs = limbs(bytes);
        let lowest = *limbs.first()?;
        if lowest % 2 == 0 || *limbs.last()? == 0 {
            return None;
        }
        Some(Self {
            limbs,
            negated_inverse: inverse(lowest).wrapping_neg(),
        })
    }

    /// The modulus's length in bits.
    pub(super) fn bits(&self) -> u32 {
        let top = self.limbs.last().map_or(0, |top| top.leading_zeros());
        u32::try_from(self.limbs.len()).map_or(u32::MAX, |len| 32 * len - top)
    }

    /// The modulus's length in bytes: RFC 8017's k.
    pub(super) fn bytes(&self) -> usize {
        self.bits().div_ceil(8) as usize
    }

    /// `base` to the power of `exponent`. `base` and the result are most significant byte first, the
    /// result exactly as long as the modulus. `None` if `base` is not below the modulus.
    pub(super) fn power(&self, base: &[u8], exponent: u32) -> Option<Vec<u8>> {
        let base = self.residue(base)?;
        let base = self.multiply(&base, &self.r_squared());
        let mut power = base.clone();
        for bit in bits_below_the_highest(exponent) {
            power = self.multiply(&power, &power);
            if bit {
                power = self.multiply(&power, &base);
            }
        }
        let mut one = vec![0; self.limbs.len()];
        one[0] = 1;
        Some(self.to_bytes(&self.multiply(&power, &one)))
    }

    fn residue(&self, bytes: &[u8]) -> Option<Residue> {
        let mut residue = limbs(bytes);
        if residue.len() > self.limbs.len() {
            return None;
        }
        residue.resize(self.limbs.len(), 0);
        (!is_at_least(&residue, &self.limbs)).then_some(residue)
    }

    fn to_bytes(&self, residue: &[u32]) -> Vec<u8> {
        let bytes: Vec<u8> = residue
            .iter()
            .rev()
            .flat_map(|limb| limb.to_be_bytes())
            .collect();
        bytes[bytes.len() - self.bytes()..].to_vec()
    }

    /// R² modulo the modulus, where R is 2^(32 · limbs): multiplying by it takes a number into
    /// Montgomery's form.
    fn r_squared(&self) -> Residue {
        // The highest power of two below the modulus, doubled until it is 2^32 · R: Montgomery's form
        // of 2^32. That to the power of the number of limbs is Montgomery's form of R.
        let mut power_of_two = vec![0; self.limbs.len()];
        let highest_bit = self.bits() - 1;
        if let Some(top) = power_of_two.last_mut() {
            *top = 1 << (highest_bit % 32);
        }
        let doublings = 32 - highest_bit % 32 + 32;
        let base = self.doubled(power_of_two, doublings);
        let mut power = base;
        for bit in bits_below_the_highest(self.limbs.len() as u32) {
            power = self.multiply(&power, &power);
            if bit {
                power = self.doubled(power, 32);
            }
        }
        power
    }

    fn doubled(&self, mut residue: Residue, times: u32) -> Residue {
        for _ in 0..times {
            let mut carry = 0;
            for limb in &mut residue {
                let top = *limb >> 31;
                *limb = *limb << 1 | carry;
                carry = top;
            }
            self.reduce_once(&mut residue, carry);
        }
        residue
    }

    /// a · b / R. Both factors and the result are below the modulus.
    fn multiply(&self, a: &[u32], b: &[u32]) -> Residue {
        let len = self.limbs.len();
        let (modulus, b) = (&self.limbs[..len], &b[..len]);
        let mut sum = vec![0; len];
        let mut overflow = 0;
        for &factor in a {
            let factor = u64::from(factor);
            // One pass adds factor · b and the multiple of the modulus that clears the lowest limb,
            // and shifts by that limb.
            let product = u64::from(sum[0]) + factor * u64::from(b[0]);
            let multiple = u64::from((product as u32).wrapping_mul(self.negated_inverse));
            let cleared = u64::from(product as u32) + multiple * u64::from(modulus[0]);
            let mut product_carry = product >> 32;
            let mut cleared_carry = cleared >> 32;
            for i in 1..len {
                let product = u64::from(sum[i]) + factor * u64::from(b[i]) + product_carry;
                product_carry = product >> 32;
                let cleared =
                    u64::from(product as u32) + multiple * u64::from(modulus[i]) + cleared_carry;
                cleared_carry = cleared >> 32;
                sum[i - 1] = cleared as u32;
            }
            let top = overflow + product_carry + cleared_carry;
            sum[len - 1] = top as u32;
            overflow = top >> 32;
        }
        self.reduce_once(&mut sum, overflow as u32);
        sum
    }

    /// Subtracts the modulus from `overflow`:`limbs`, which is below twice the modulus, unless it is below
    /// the modulus already.
    fn reduce_once(&self, limbs: &mut [u32], overflow: u32) {
        if overflow == 0 && !is_at_least(limbs, &self.limbs) {
            return;
        }
        let mut borrow = false;
        for (limb, &subtrahend) in limbs.iter_mut().zip(&self.limbs) {
            let (difference, under) = limb.overflowing_sub(subtrahend);
            let (difference, under_again) = difference.overflowing_sub(u32::from(borrow));
            *limb = difference;
            borrow = under || under_again;
        }
    }
}

fn limbs(bytes: &[u8]) -> Vec<u32> {
    bytes
        .rchunks(4)
        .map(|chunk| {
            chunk
                .iter()
                .fold(0, |limb, &byte| limb << 8 | u32::from(byte))
        })
        .collect()
}

/// Whether `a` >= `b`, both of one length.
fn is_at_least(a: &[u32], b: &[u32]) -> bool {
    a.iter().rev().ge(b.iter().rev())
}

/// 1 / `odd`, modulo 2^32: Newton's iteration, which doubles the number of right bits each time. `odd`
/// is its own inverse modulo 8.
fn inverse(odd: u32) -> u32 {
    (0..4).fold(odd, |inverse, _| {
        inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse)))
    })
}

/// The bits of `number` (not 0) from the second highest down.
fn bits_below_the_highest(number: u32) -> impl Iterator<Item = bool> {
    (0..number.ilog2())
        .rev()
        .map(move |bit| number >> bit & 1 == 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(base: u128, exponent: u32, modulus: u128) -> u128 {
        (0..exponent).fold(1 % modulus, |power, _| power * base % modulus)
    }

    fn trimmed(number: u64) -> Vec<u8> {
        let bytes = number.to_be_bytes();
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes[zeros..].to_vec()
    }

    #[test]
    fn an_even_or_empty_modulus_is_refused() {
        assert!(Modulus::new(&[]).is_none());
        assert!(Modulus::new(&[1, 0]).is_none());
        assert!(Modulus::new(&[0, 0, 0, 0, 1]).is_none());
    }

    proptest! {
        #[test]
        fn inverses_are_inverse(number: u32) {
            let odd = number | 1;
            prop_assert_eq!(inverse(odd).wrapping_mul(odd), 1);
        }

        #[test]
        fn powers_are_right(modulus in 1u64.., base: u64, exponent in 1u32..200) {
            let modulus = modulus | 1;
            prop_assume!(modulus > 1);
            let base = base % modulus;
            let expected = naive(base.into(), exponent, modulus.into());
            let got = Modulus::new(&trimmed(modulus)).unwrap().power(&trimmed(base), exponent).unwrap();
            let got = got.iter().fold(0, |number, &byte| number << 8 | u128::from(byte));
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_base_that_is_not_below_the_modulus_is_refused() {
        let modulus = Modulus::new(&[0xff, 0xff, 0xff, 0xfb]).unwrap();
        assert!(modulus.power(&[0xff, 0xff, 0xff, 0xfa], 3).is_some());
        assert!(modulus.power(&[0xff, 0xff, 0xff, 0xfb], 3).is_none());
        assert!(modulus.power(&[1, 0, 0, 0, 0], 3).is_none());
    }
}
