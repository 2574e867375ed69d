//! What was probably meant.

/// The one of `known` that `wrong` was probably meant to be: at most a third is mistyped.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let wrong = fold(wrong);
    let distance = |known: &str| strsim::damerau_levenshtein(&wrong, &fold(known));
    let is_near = |known: &&str| distance(known) <= wrong.len().max(known.len()).div_ceil(3);
    let near = known.into_iter().filter(is_near);
    near.min_by_key(|&known| (distance(known), known))
}

/// Names what was probably meant, or else all there is.
pub(crate) fn advice<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    if let Some(near) = nearest(wrong, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    if known.is_empty() {
        return "there is none".to_owned();
    }
    format!("there are `{}`", known.join("`, `"))
}
