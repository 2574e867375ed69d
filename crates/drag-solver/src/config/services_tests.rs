//! Services that are declared.

use drag_solver_declared::GALLERY;

use super::*;
use crate::ConfigError;
use crate::http::Context;

fn parse(text: &str) -> Result<ChainConfig, ConfigError> {
    ChainConfig::read(toml::Deserializer::parse(text).unwrap())
}

const POINTING: &str = r#"
    family = "createTask"
    key = "POINTING_API_KEY"
    base_url = "https://api.pointing.example"
    settings = { task_type = "CoordinatesTask" }
    create.json.task = { type = "{setting.task_type}", body = "{picture.base64}" }
    answer.at = "/solution/coordinates"
"#;

fn pointing() -> Registry {
    Registry::empty().with_variables(|name| (name == "POINTING_API_KEY").then(|| "0123".into()))
}

#[test]
fn a_service_that_the_file_declares_is_a_kind_like_any_other() {
    let chain = format!(
        "[services.pointing]\n{POINTING}\n[[providers]]\nkind = \"pointing\"\nname = \"second\"\n\
         task_type = \"Other\"\npoll = {{ first = \"1s\", every = \"1s\" }}\nvalidate = true"
    );
    let config = parse(&chain).unwrap();
    let built = config.build(&pointing()).unwrap();
    assert_eq!(
        built.to_string(),
        "pointing(\"second\").validate(min_length: 8 px)"
    );
    assert!(
        config
            .registry(&pointing())
            .unwrap()
            .find("pointing")
            .is_some()
    );
    assert!(pointing().find("pointing").is_none());
}

#[test]
fn a_service_may_be_declared_in_a_file_beside_the_chains() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pointing.toml"), POINTING).unwrap();
    let lookup = |name: &str| (name == "POINTING_API_KEY").then(|| "0123".into());
    let context = Context::with_variables(lookup).with_base_dir(folder.path());
    let chain = "services.pointing = \"pointing.toml\"\n[[providers]]\nkind = \"pointing\"";
    let built = parse(chain)
        .unwrap()
        .build(&Registry::empty().with_context(context));
    assert_eq!(built.unwrap().to_string(), "pointing");
    let service = read_service(folder.path().join("pointing.toml")).unwrap();
    assert_eq!(service.name(), "pointing");
}

#[test]
fn a_mistake_in_a_declaration_has_its_place_in_the_file() {
    let provider = "[[providers]]\nkind = \"pointing\"\n";
    let service = |wrong: &str, right: &str| {
        let declared = POINTING.replace(right, wrong);
        format!("[services.pointing]\n{declared}\n{provider}")
    };
    for (text, expected) in [
        (
            service("famly =", "family ="),
            "unknown key `famly` in services.pointing: did you mean `family`?",
        ),
        (
            service("answer.att =", "answer.at ="),
            "unknown key `att` in services.pointing.answer: did you mean `at`?",
        ),
        (
            service("\"createTsak\"", "\"createTask\""),
            "services.pointing.family: there is no `createTsak`: did you mean `createTask`?",
        ),
        (
            service("{picture.bas64}", "{picture.base64}"),
            "services.pointing.create.json.task.body: there is no placeholder `{picture.bas64}`: did you \
             mean `picture.base64`? (a brace that is none is written twice)",
        ),
        (
            service("\"POINTING api key\"", "\"POINTING_API_KEY\""),
            "services.pointing.key: must be the name of a variable of the environment, as in \
             \"HMCAPTCHA_API_KEY\": the key itself is not written into the file",
        ),
        (
            service("", "") + "task_tpe = \"Other\"",
            "unknown key `task_tpe` in providers.pointing: did you mean `task_type`?",
        ),
        (
            format!("[services.pointing]\n{POINTING}\n[[providers]]\nkind = \"pointin\""),
            "providers.pointin.kind: there is no `pointin`: did you mean `pointing`?",
        ),
        (
            format!("services.pointing = \"nowhere.toml\"\n{provider}"),
            "services.pointing: /no/nowhere.toml: cannot be read",
        ),
        (
            service(
                "answer = { distance = \"/d\", from = [83, 560] }",
                "answer.at = \"/solution/coordinates\"",
            ) + "fit = true",
            "providers.pointing.fit: cannot be used with a start that is known before",
        ),
        (
            format!("services = \"pointing.toml\"\n{provider}"),
            "services: must be a table",
        ),
    ] {
        let registry = pointing();
        let context = registry.context().clone().with_base_dir("/no");
        let built = parse(&text).and_then(|config| config.build(&registry.with_context(context)));
        let error = built.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
    let unset = parse(&service("", ""))
        .unwrap()
        .build(&Registry::empty())
        .unwrap_err();
    assert!(unset.to_string().contains("POINTING_API_KEY"), "{unset}");
}

#[test]
fn every_service_of_the_gallery_is_a_kind() {
    let registry = Registry::empty().with_gallery();
    assert_eq!(registry.kinds().count(), GALLERY.len());
    for kind in registry.kinds() {
        assert!(
            !kind.about.is_empty() && kind.declared.is_some(),
            "{kind:?}"
        );
    }
}

#[test]
fn a_setting_of_a_service_has_no_name_that_its_user_could_not_set() {
    let mut table = super::reader::Table::default();
    let _ = table.take::<crate::http::HttpOptions>();
    let _ = table.take::<super::provider::ChainKeys>();
    let taken: std::collections::BTreeSet<_> = table.known().collect();
    let refused: std::collections::BTreeSet<_> = drag_solver_declared::taken().collect();
    assert_eq!(taken, refused);
}

#[test]
fn a_key_in_the_place_of_its_variable_or_of_a_file_is_not_shown() {
    let provider = "[[providers]]\nkind = \"pointing\"\n";
    let service = |wrong: &str| {
        let declared = POINTING.replace("key = \"POINTING_API_KEY\"", wrong);
        format!("[services.pointing]\n{declared}\n{provider}")
    };
    for text in [
        format!("[services]\npointing = \"42hunter\"\n{provider}"),
        service("key = 42424242"),
        service("key = [\"42hunter\"]"),
        service("key = \"42hunter\""),
        service("key = \"POINTING_API_KEY\"\nsecrets = { user = 42424242 }"),
        service("key = \"POINTING_API_KEY\"\nsecrets = \"42hunter\""),
    ] {
        let built = parse(&text).and_then(|config| config.build(&pointing()));
        let error = built.unwrap_err().to_string();
        assert!(error.starts_with("services.pointing"), "{error}");
        assert!(!error.contains("42"), "{error}");
    }
}

#[cfg(feature = "twocaptcha")]
#[test]
fn a_service_does_not_take_the_name_of_another_provider() {
    for name in ["twocaptcha", "2captcha"] {
        let chain = format!("[services.{name}]\n{POINTING}\n[[providers]]\nkind = \"{name}\"");
        let built = parse(&chain).unwrap().build(&Registry::standard());
        let error = built.unwrap_err().to_string();
        let expected = format!("services.{name}: there is a provider `twocaptcha` of that name");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_without_an_end_is_not_read_to_it() {
    let error = parse("services.mine = \"/dev/zero\"\n[[providers]]\nkind = \"mine\"")
        .and_then(|config| config.build(&pointing()))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "services.mine: the file is no regular one, but a pipe, a socket or a device: save it as a file first"
    );
    let error = read_service("/dev/zero").unwrap_err().to_string();
    assert!(error.contains("is longer than 1 MiB"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long.toml");
    std::fs::write(&long, "#".repeat(1024 * 1024 + 1)).unwrap();
    let error = read_service(&long).unwrap_err().to_string();
    assert!(error.contains("is longer than 1 MiB"), "{error}");
}
