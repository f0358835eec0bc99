//! Reading and writing fixed fields at the front of a slice, each checked against what is left.

/// The bytes that are not read yet.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| *byte)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().copied().map(u64::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().copied().map(u16::from_be_bytes)
    }

    /// Requires that nothing is left.
    pub(crate) fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// The bytes written so far, in a buffer that the caller owns.
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    written: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Self {
        Self { out, written: 0 }
    }

    /// `None` when the buffer is too small.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let room = self.out.get_mut(self.written..)?;
        room.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.written += bytes.len();
        Some(())
    }

    /// Writes zeros up to a length of the whole; nothing when it is longer already.
    pub(crate) fn pad(&mut self, length: usize) -> Option<()> {
        if length > self.written {
            self.out.get_mut(self.written..length)?.fill(0);
            self.written = length;
        }
        Some(())
    }

    pub(crate) fn written(&self) -> usize {
        self.written
    }
}
