//! The fields of a decoded head. Never copies a name or a value.

use std::fmt;

use bytes::Bytes;

use crate::protocol::varint;

/// The field section of a head, checked as a whole when it was decoded.
///
/// Its `Debug` tells names alone: values may be credentials.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Fields {
    section: Bytes,
    count: usize,
}

impl Fields {
    /// Takes a section that was found to hold `count` valid field lines.
    pub(super) const fn checked(section: Bytes, count: usize) -> Self {
        Self { section, count }
    }

    /// How many field lines there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The field lines in their order. A name may come several times.
    #[must_use]
    pub fn iter(&self) -> FieldsIter<'_> {
        FieldsIter {
            section: &self.section,
            rest: &self.section,
            left: self.count,
        }
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = Field<'a>;
    type IntoIter = FieldsIter<'a>;

    fn into_iter(self) -> FieldsIter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries(self.iter().map(|field| field.name()))
            .finish()
    }
}

/// One field line.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    section: &'a Bytes,
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> Field<'a> {
    /// The name: an RFC 9110 token in lower case.
    #[must_use]
    pub fn name(&self) -> &'a str {
        std::str::from_utf8(self.name).expect("names were checked to be ASCII")
    }

    /// The name as bytes, for those that compare it.
    #[must_use]
    pub const fn name_bytes(&self) -> &'a [u8] {
        self.name
    }

    /// The value: any bytes but control characters, no white space at its ends.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The value as a slice of what came in, for those that keep it.
    #[must_use]
    pub fn value_bytes(&self) -> Bytes {
        self.section.slice_ref(self.value)
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Field")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// The field lines of a head, one after the other.
#[derive(Clone, Debug)]
pub struct FieldsIter<'a> {
    section: &'a Bytes,
    rest: &'a [u8],
    left: usize,
}

impl<'a> FieldsIter<'a> {
    fn take(&mut self) -> &'a [u8] {
        let (length, prefix) = varint::get(self.rest).expect("the section was checked");
        let length = usize::try_from(length).expect("the section was checked");
        let (taken, rest) = self.rest[prefix..].split_at(length);
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for FieldsIter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        self.left = self.left.checked_sub(1)?;
        Some(Field {
            section: self.section,
            name: self.take(),
            value: self.take(),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for FieldsIter<'_> {}
