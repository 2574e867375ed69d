//! What was probably meant.

/// Names what was probably meant, or else all there is.
pub(crate) fn nearest_of<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let fold = |text: &str| text.to_lowercase().replace('-', "_");
    let wrong = fold(wrong);
    let distance = |known: &str| strsim::damerau_levenshtein(&wrong, &fold(known));
    let is_near = |known: &&str| distance(known) <= wrong.len().max(known.len()).div_ceil(3);
    let near = known.iter().copied().filter(is_near);
    match near.min_by_key(|&known| (distance(known), known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("there are `{}`", known.join("`, `")),
    }
}
