//! Every fault there is, for tests that try them all.

use std::time::Duration;

use super::{Echo, ErrorBody, Fault, RedirectTo, ResetPoint};

impl Fault {
    /// Every fault, each with every setting that makes a difference to a client: for tests that try
    /// them all. Pauses are one millisecond, and a refusal lasts thirty.
    #[must_use]
    #[rustfmt::skip] // what belongs together stands together
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Refuse(Duration::from_millis(30)),
            Self::Reset(ResetPoint::BeforeRequest), Self::Reset(ResetPoint::BeforeAnswer),
            Self::Reset(ResetPoint::DuringAnswer), Self::Reset(ResetPoint::AfterAnswer),
            Self::Hang, Self::Stall, Self::Drip(Duration::from_millis(1)), Self::Truncate,
            Self::Html, Self::EmptyBody, Self::ContentType, Self::InvalidUtf8, Self::DeepNesting,
            Self::ByteOrderMark, Self::TrailingNuls, Self::ControlCharacters, Self::NotANumber,
            Self::PaddedTexts, Self::WholeNumbersAsFloats, Self::OddHeaders,
            Self::Gigabyte, Self::EndlessBody, Self::GzipBomb,
            Self::DuplicateFields, Self::UnknownFields,
            Self::NumbersAsStrings, Self::StringsAsNumbers, Self::HugeIds, Self::IdsBeyondU64,
            Self::Redirect(302, RedirectTo::Itself), Self::Redirect(302, RedirectTo::OtherHost),
            Self::Redirect(307, RedirectTo::Itself), Self::Redirect(307, RedirectTo::OtherHost),
            Self::Redirect(307, RedirectTo::PlainHttp), Self::Redirect(308, RedirectTo::OtherHost),
            Self::Informational(100), Self::Informational(102), Self::Informational(103),
            Self::EndlessInformational, Self::SwitchProtocols,
            Self::status(204, ErrorBody::Empty),
        ];
        // Error statuses that occur in the wild.
        for code in [401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504, 521] {
            all.extend([ErrorBody::Empty, ErrorBody::Html, ErrorBody::Json].map(|body| Self::status(code, body)));
        }
        all.extend([
            "3600", "Fri, 31 Dec 2100 23:59:59 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", "soon",
            "18446744073709551615",
        ].map(Self::retry_after));
        all.extend([
            Echo::Plain, Echo::JsonEscaped, Echo::Percent, Echo::Base64, Echo::EveryMember,
            Echo::Location, Echo::Page,
        ].map(Self::Echo));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own() {
        let all = Fault::all();
        let names: HashSet<_> = all.iter().map(ToString::to_string).collect();
        assert_eq!((names.len(), all.len()), (90, 90));
    }
}
