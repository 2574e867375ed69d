//! A mistake in a declaration is refused when it is loaded, with its place and what was probably meant.

#![allow(clippy::unwrap_used)] // a failed `unwrap` is a failed test
#![allow(clippy::too_many_lines)] // a table

use drag_solver_declared::{Declared, Definition};

const SOUND: &str = r#"
    key = "POINTING_API_KEY"
    base_url = "https://api.pointing.example"
    settings = { width = 340 }
    secrets = { user = "POINTING_USER" }
    create = { path = "jobs", json = { key = "{key}", image = "{picture.base64}" }, job = "/id" }
    poll = { path = "jobs/{job}", first = "2s", every = "2s" }
    state = { at = "/state", running = "working", solved = "done", failed = "gave up" }
    answer.at = "/points"
    balance = { path = "balance", query = { key = "{key}" }, at = "/money" }
"#;

fn load(toml: &str) -> Result<Declared, String> {
    let definition: Definition = toml::from_str(toml).map_err(|error| error.to_string())?;
    Declared::new("pointing", definition).map_err(|error| error.to_string())
}

#[test]
fn a_sound_declaration_is_loaded() {
    load(SOUND).unwrap();
}

#[test]
fn each_mistake_is_refused_with_its_place() {
    let create =
        |json: &str| format!("create = {{ path = \"jobs\", json = {json}, job = \"/id\" }}");
    let sound = r#"{ key = "{key}", image = "{picture.base64}" }"#;
    for (instead_of, wrong, expected) in [
        (
            create(sound),
            create(r#"{ key = "{kye}", image = "{picture.base64}" }"#),
            "create.json.key: there is no placeholder `{kye}`: did you mean `key`?",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}", image = "{picture}" }"#),
            "create.json.image: there is no placeholder `{picture}`",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}" }"#),
            "create: must have the picture in its body exactly once",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}", a = "{picture.base64}", b = ["{picture.base64}"] }"#),
            "create: must have the picture in its body exactly once",
        ),
        (
            create(sound),
            create(r#"{ image = "{picture.base64}" }"#),
            "create: must have the key in it",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}", image = "{picture.file}" }"#),
            "create.json.image: `{picture.file}` can only stand in `multipart`",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}", image = "{picture.base64}", job = "{job}" }"#),
            "create.json.job: `{job}` can only stand where there is a job",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}", image = "{picture.base64}", hook = "{callback}/x" }"#),
            "create.json.hook: has more in it than `{callback}`",
        ),
        (
            r#"path = "jobs/{job}", first"#.into(),
            r#"path = "jobs/{job}", query = { hook = "{callback}" }, first"#.into(),
            "poll.query.hook: `{callback}` can only stand in create",
        ),
        (
            r#"path = "jobs", json"#.into(),
            r#"path = "jobs/{callback}", json"#.into(),
            "create.path: `{callback}` can only stand in a body or a query",
        ),
        (
            create(sound),
            create(r#"{ key = "{key}", image = "{picture.base64}", w = "{setting.widht}" }"#),
            "create.json.w: there is no setting `widht`: did you mean `width`?",
        ),
        (
            create(sound),
            create(r#"{ key = "{secret.usr}", image = "{picture.base64}" }"#),
            "create.json.key: there is no secret `usr`: did you mean `user`?",
        ),
        (
            create(sound),
            create(r#"{ key = "{key", image = "{picture.base64}" }"#),
            "create.json.key: has a `{` or a `}` alone",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", json = {}, form = {}, job = "/id" }"#.into(),
            "create: has two bodies",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", job = "/id" }"#.into(),
            "create: must have the picture",
        ),
        (
            create(sound),
            r#"create = { path = "jobs?a=1", job = "/id" }"#.into(),
            "create.path: has a `?`",
        ),
        (
            create(sound),
            r#"create = { path = "jobs/{key}", job = "/id" }"#.into(),
            "create.path: `{key}` cannot stand in a path",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", method = "GET", json = {}, job = "/id" }"#.into(),
            "create.method: cannot be GET",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", headers = { "a b" = "c" }, json = {}, job = "/id" }"#
                .into(),
            "create.headers.a b: has characters",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", headers = { a = "{picture.base64}" }, job = "/id" }"#
                .into(),
            "create.headers.a: `{picture.base64}` can only stand in a body",
        ),
        (
            r#"job = "/id""#.into(),
            r#"job = "id""#.into(),
            "create.job: `id` is not a JSON pointer",
        ),
        (
            r#", job = "/id""#.into(),
            String::new(),
            "create.job: must name at least one place",
        ),
        (
            r#", job = "/id""#.into(),
            r#", job = "/id", at = "/id""#.into(),
            "create.at: belongs to `balance`",
        ),
        (
            r#"first = "2s", "#.into(),
            String::new(),
            "poll.first: must be set",
        ),
        (
            r#"every = "2s""#.into(),
            r#"every = "0s""#.into(),
            "poll.every: must be at least 1ms",
        ),
        (
            r#"path = "jobs/{job}""#.into(),
            r#"path = "jobs//{job}""#.into(),
            "poll.path: has a part that is empty",
        ),
        (
            r#"path = "jobs/{job}""#.into(),
            r#"path = "../jobs/{job}""#.into(),
            "poll.path: has a part that is empty, `.` or `..`",
        ),
        (
            r#"path = "jobs/{job}""#.into(),
            r#"path = "jobs\n/{job}""#.into(),
            "poll.path: has characters that no path can have",
        ),
        (
            r#"path = "jobs/{job}""#.into(),
            r#"path = "jobs/{picture.width}""#.into(),
            "poll.path: `{picture.width}` can only stand in create",
        ),
        (
            r#"running = "working""#.into(),
            r#"running = ["working", "DONE"]"#.into(),
            "state: `done` is a word of running and of solved",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { at = "/points", distance = "/d" }"#.into(),
            "answer: must have exactly one form",
        ),
        (
            r#"answer.at = "/points""#.into(),
            String::new(),
            "answer: must have exactly one form",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { distance = "/d" }"#.into(),
            "answer.from: must be set",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { distance = "/d", from = "here" }"#.into(),
            "answer.from: is no point",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { start = "/d" }"#.into(),
            "answer.end: must be set",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { at = "/d", from = [1, 2] }"#.into(),
            "answer.from: cannot stand",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { at = "/d", unit.view_width = 0 }"#.into(),
            "answer.unit.view_width: must be a number of pixels",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nerrors = [{ kind = \"unauthorized\" }]".into(),
            "errors.0: matches everything",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nerrors = [{ is = \"a\" }]".into(),
            "errors.0: says nothing",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nerrors = [{ is = \"a\", kind = \"circuit_open\" }]".into(),
            "errors.0.kind: `circuit_open` is said on this side",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nrefused = [{ is = \"a\" }]".into(),
            "refused.0.at: must name at least one place",
        ),
        (
            r#", at = "/money""#.into(),
            String::new(),
            "balance.at: must name at least one place",
        ),
        (
            r#"key = "POINTING_API_KEY""#.into(),
            r#"key = "0123456789abcdef""#.into(),
            "key: must be the name of a variable",
        ),
        (
            r#"key = "POINTING_API_KEY""#.into(),
            String::new(),
            "key: must be set",
        ),
        (
            r#"user = "POINTING_USER""#.into(),
            r#"user = "me@example.com""#.into(),
            "user: must be the name of a variable",
        ),
        // What would be accepted, and then not do what it says.
        (
            r#"solved = "done", "#.into(),
            String::new(),
            "state.solved: must be set",
        ),
        (
            r#"path = "jobs/{job}""#.into(),
            r#"path = "jobs""#.into(),
            "poll: must have the job in it",
        ),
        (
            r#"path = "jobs/{job}""#.into(),
            r#"path = "jobs/{job}", multipart = { a = "b" }"#.into(),
            "poll.multipart: can only stand in create",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nreport.correct = { path = \"good\", query = { a = \"b\" } }".into(),
            "report.correct: must have the job in it",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", form = { key = "{key}", images = ["{picture.base64}"] }, job = "/id" }"#.into(),
            "create.form.images: has the picture inside of a list or a table",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", multipart = { key = "{key}", a = "b{picture.file}" }, job = "/id" }"#.into(),
            "create.multipart.a: has words beside `{picture.file}`",
        ),
        (
            create(sound),
            r#"create = { path = "jobs", headers = { Content-Length = "7" }, json = { key = "{key}", image = "{picture.base64}" }, job = "/id" }"#.into(),
            "create.headers.Content-Length: is set by what sends the request",
        ),
        (
            r#"poll = { path = "jobs/{job}", first = "2s", every = "2s" }"#.into(),
            String::new(),
            "create.job: belongs to a service with `poll`",
        ),
        (
            "settings = { width = 340 }".into(),
            "settings = { poll = 340 }".into(),
            "settings.poll: is a key of every provider",
        ),
        (
            "settings = { width = 340 }".into(),
            "settings = { user = 340 }".into(),
            "settings.user: is a secret, too",
        ),
        (
            r#"user = "POINTING_USER""#.into(),
            r#"timeout = "POINTING_USER""#.into(),
            "secrets.timeout: is a key of every provider",
        ),
        (
            r#"key = "POINTING_API_KEY""#.into(),
            r#"key = "0123456789ABCDEF0123456789ABCDEF""#.into(),
            "key: must be the name of a variable",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nmessage = \"/m\"\nerrors = [{ is = \"a\", kind = \"unauthorized\" }]".into(),
            "errors.0: has no place to look at",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nrefused = [{ at = \"/e\" }]\nerrors = [{ is = \"a\", kind = \"unauthorized\" }]".into(),
            "errors.0: has no place to look at",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nerrors = [{ at = \"/e\", status = 409, kind = \"unauthorized\" }]".into(),
            "errors.0.at: is not looked at",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nerrors = [{ status = 409, state = \"running\", wait = \"5s\" }]".into(),
            "errors.0.wait: belongs to a refusal",
        ),
        (
            r#"answer.at = "/points""#.into(),
            "answer.at = \"/points\"\nerrors = [{ status = 409, state = \"missing\", billed = \"no\" }]".into(),
            "errors.0.billed: belongs to",
        ),
        (
            "https://api".into(),
            "http://api".into(),
            "base_url: http to",
        ),
        (
            r#"key = "{key}""#.into(),
            r#"key = "0123456789abcdef0123456789abcdef", k = "{key}""#.into(),
            "create.json.key: looks like a key",
        ),
        (
            r#"answer.at = "/points""#.into(),
            r#"answer = { distance = "/d", from = [-5, 20] }"#.into(),
            "answer.from: is off every picture",
        ),
        (
            r#"base_url = "https://api.pointing.example""#.into(),
            String::new(),
            "base_url: must be set",
        ),
    ] {
        let instead_of: String = instead_of;
        assert!(SOUND.contains(&instead_of), "{instead_of}");
        let error = load(&SOUND.replacen(&instead_of, &wrong, 1)).unwrap_err();
        assert!(error.starts_with(expected), "{wrong}\n{error}");
    }
}

#[test]
fn a_brace_that_is_written_twice_is_a_brace() {
    let braces = r#"image = "{picture.base64}", note = "{{\"a\": 1}} {setting.width}""#;
    let service = load(&SOUND.replace(r#"image = "{picture.base64}""#, braces)).unwrap();
    let shown = service.preview();
    assert!(shown.contains(r#""note": "{\"a\": 1} 340""#), "{shown}");
}

#[test]
fn a_setting_that_has_to_be_set_may_be_the_width_of_the_view() {
    let declared = SOUND.replace("width = 340", "width = \"\"").replace(
        r#"answer.at = "/points""#,
        r#"answer = { at = "/points", unit.view_width = "{setting.width}" }"#,
    );
    load(&declared).unwrap();
}
