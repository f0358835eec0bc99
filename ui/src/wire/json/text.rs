//! The tokens of a text: words, strings, numbers and brackets.

use super::{Result, Unreadable};
use std::borrow::Cow;

/// A text and the position up to which it is read.
#[derive(Debug)]
pub(super) struct Text<'de> {
    text: &'de str,
    at: usize,
}

/// A number as written: without sign and fraction, with a sign, or with a fraction.
#[derive(Debug)]
pub(super) enum Number {
    Whole(u64),
    Negative(i64),
    Fraction(f64),
}

impl<'de> Text<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte that is not white space, without taking it; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(byte) => return *byte,
                None => return 0,
            }
        }
    }

    pub(super) fn take(&mut self, expected: u8) -> Result<()> {
        if self.peek() != expected {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<()> {
        let rest = self.peek();
        (rest == 0 && self.at == self.text.len())
            .then_some(())
            .ok_or(Unreadable)
    }

    fn since(&self, start: usize) -> Result<&'de str> {
        self.text.get(start..self.at).ok_or(Unreadable)
    }

    /// Takes the next byte, white space or not.
    fn byte(&mut self) -> Result<u8> {
        let byte = self.text.as_bytes().get(self.at).ok_or(Unreadable)?;
        self.at += 1;
        Ok(*byte)
    }

    pub(super) fn string(&mut self) -> Result<Cow<'de, str>> {
        self.take(b'"')?;
        let mut plain = self.at;
        let mut before = String::new();
        loop {
            match self.byte()? {
                b'"' => break,
                b'\\' => {
                    before.push_str(self.text.get(plain..self.at - 1).ok_or(Unreadable)?);
                    before.push(self.escaped()?);
                    plain = self.at;
                }
                0..b' ' => return Err(Unreadable),
                _ => {}
            }
        }
        let rest = self.text.get(plain..self.at - 1).ok_or(Unreadable)?;
        if before.is_empty() {
            return Ok(Cow::Borrowed(rest));
        }
        before.push_str(rest);
        Ok(Cow::Owned(before))
    }

    fn escaped(&mut self) -> Result<char> {
        Ok(match self.byte()? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'u' => return self.unicode(),
            _ => return Err(Unreadable),
        })
    }

    /// A character by its code after `\u`, or by the two codes of a UTF-16 surrogate pair.
    fn unicode(&mut self) -> Result<char> {
        let mut units = vec![self.unit()?];
        if (0xd800..0xdc00).contains(&units[0]) {
            if (self.byte()?, self.byte()?) != (b'\\', b'u') {
                return Err(Unreadable);
            }
            units.push(self.unit()?);
        }
        let read = char::decode_utf16(units).next();
        read.and_then(std::result::Result::ok).ok_or(Unreadable)
    }

    fn unit(&mut self) -> Result<u16> {
        let start = self.at;
        self.at += 4;
        u16::from_str_radix(self.since(start)?, 16).map_err(|_| Unreadable)
    }

    /// Takes a number or a word such as `true`: letters, digits and `+-.`.
    pub(super) fn word(&mut self) -> Result<&'de str> {
        self.peek();
        let start = self.at;
        let own = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        self.at += self.text.as_bytes()[start..]
            .iter()
            .take_while(|byte| own(byte))
            .count();
        self.since(start)
    }

    /// Takes the text of the next value. Only its brackets and strings are checked; the rest is checked when the text
    /// is read.
    pub(super) fn raw(&mut self) -> Result<&'de str> {
        self.peek();
        let start = self.at;
        let mut open = 0u32;
        loop {
            match self.peek() {
                b'"' => drop(self.string()?),
                b'{' | b'[' => {
                    open += 1;
                    self.at += 1;
                }
                b'}' | b']' if open > 0 => {
                    open -= 1;
                    self.at += 1;
                }
                b',' | b':' if open > 0 => self.at += 1,
                _ if self.word()?.is_empty() => return Err(Unreadable),
                _ => {}
            }
            if open == 0 {
                return self.since(start);
            }
        }
    }

    pub(super) fn number(&mut self) -> Result<Number> {
        let word = self.word()?;
        let whole = || word.parse().map(Number::Whole);
        let negative = |_| word.parse().map(Number::Negative);
        let fraction = |_| fraction(word).map(Number::Fraction).ok_or(Unreadable);
        whole().or_else(negative).or_else(fraction)
    }
}

/// A number with a fraction or an exponent. Exact for up to fifteen digits; the protocol's fractions have fewer.
fn fraction(text: &str) -> Option<f64> {
    let (size, negative) = text.strip_prefix('-').map_or((text, false), |size| (size, true));
    let (digits, power) = size.split_once(['e', 'E']).unwrap_or((size, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let mut value = 0.0;
    for byte in whole.bytes().chain(part.bytes()) {
        let digit = char::from(byte).to_digit(10)?;
        value = value * 10.0 + f64::from(digit);
    }
    let power = power.parse::<i32>().ok()? - i32::try_from(part.len()).ok()?;
    let factor = 10f64.powi(power.abs());
    value = if power < 0 { value / factor } else { value * factor };
    (!whole.is_empty()).then_some(if negative { -value } else { value })
}
