//! Secrets are where the file says, and shown nowhere.

use super::*;

#[test]
fn a_token_in_the_file_is_refused_and_shown_nowhere() {
    for kind in ["omocaptcha", "twocaptcha", "anticaptcha"] {
        for (key, why, schemes) in [
            ("token", "a secret is not written into the file", ""),
            (
                "proxy",
                "a proxy's URL is not written into the file, because there may be a password in it",
                ". Use http://, https://, socks4://, socks4a://, socks5:// or socks5h://",
            ),
        ] {
            let config = parse(&format!(
                "[[providers]]\nkind = \"{kind}\"\n{key} = \"{TOKEN}\""
            ))
            .unwrap();
            assert!(!format!("{config:?}").contains(TOKEN));
            let error = config.build(&standard()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "providers.{kind}.{key}: {why}: write either {{ env = \"NAME\" }} or \
                     {{ file = \"PATH\" }} to say where it is{schemes}"
                )
            );
        }
    }
}

#[test]
fn a_token_that_is_misplaced_or_misspelt_is_told_where_it_belongs() {
    let provider = "[[providers]]\nkind = \"twocaptcha\"\n";
    let above = "it belongs to a provider: write it right below [[providers]]";
    for (text, expected) in [
        (format!("token = {{ env = \"MY_KEY\" }}\n{provider}"), above),
        (
            format!("[budget]\ntotal = \"1\"\ntoken = {{}}\n{provider}"),
            above,
        ),
        (format!("{provider}[providers.retry]\ntoken = {{}}"), above),
        (
            format!("{provider}key = {{ env = \"NOT_SET\" }}"),
            "providers.twocaptcha.key: ",
        ),
        (
            format!("{provider}key = {{ env = \"A\" }}\ntoken = {{ env = \"B\" }}"),
            "providers.twocaptcha.key: is set twice",
        ),
        (
            format!("{provider}api_key = {{ env = \"MY_KEY\" }}"),
            "did you mean `token`?",
        ),
        (
            format!("{provider}token = {{ evn = \"MY_KEY\" }}"),
            "is a key misspelt, or below",
        ),
        (
            format!("{provider}[providers.token]\nenv = \"MY_KEY\"\ntimeout = \"60s\""),
            "is a key misspelt, or below",
        ),
    ] {
        let error = parse(&text).and_then(|config| config.build(&standard()));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn a_token_in_any_wrong_place_is_shown_nowhere() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    for wrong in [
        "token = { env = \"KEY\" }",
        "token = { file = \"KEY\" }",
        "key = { env = \"KEY\" }",
        "proxy = { env = \"KEY\" }",
        "base_url = \"https://example.com/?key=KEY\"",
        "base_url = \"KEY\"",
        "KEY = true",
        "name = \"KEY\"",
        "timeout = \"KEY\"",
        "price = \"KEY\"",
        "retry = \"KEY\"",
        "retry = { KEY = 1 }",
        "user_agent = { a = \"KEY\" }",
    ] {
        let text = format!("[[providers]]\nkind = \"twocaptcha\"\n{wrong}").replace("KEY", KEY);
        let error = match parse(&text) {
            Ok(config) => config.build(&standard()).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(!error.contains("0123456789"), "{wrong}: {error}");
    }
    let kind = format!("[[providers]]\nkind = \"{KEY}\"");
    let error = parse(&kind).unwrap().build(&standard()).unwrap_err();
    assert!(!error.to_string().contains(KEY), "{error}");
}

#[test]
fn a_secret_comes_from_where_the_file_says_or_from_the_providers_own_variable() {
    let build = |kind: &str, token: &str| {
        let text = format!("[[providers]]\nkind = \"{kind}\"\n{token}");
        let chain = parse(&text).unwrap().build(&standard());
        chain
            .map(|chain| format!("{chain:?}"))
            .map_err(|error| error.to_string())
    };
    assert_eq!(build("twocaptcha", "").unwrap(), "twocaptcha");
    let token = "token = { env = \"MY_KEY\" }";
    assert_eq!(build("twocaptcha", token).unwrap(), "twocaptcha");
    assert_eq!(
        build("twocaptcha", "token = { env = \"OTHER\" }").unwrap_err(),
        "providers.twocaptcha.token: the environment variable OTHER is not set, or empty"
    );
    assert_eq!(
        build("omocaptcha", "").unwrap_err(),
        "providers.omocaptcha.token: is not set: write { env = \"NAME\" } or { file = \"PATH\" } to \
         say where it is, or set the environment variable OMOCAPTCHA_API_TOKEN"
    );
    let error = build("omocaptcha", "token = { file = \"/no/such/file\" }").unwrap_err();
    assert!(
        error.starts_with("providers.omocaptcha.token: cannot read /no/such/file: "),
        "{error}"
    );
    let key = build("omocaptcha", "tokn = \"x\"").unwrap_err();
    assert!(key.ends_with("did you mean `token`?"), "{key}");
}

#[test]
fn a_setting_of_the_environment_is_told_by_its_variable() {
    for (kind, variable) in [
        ("twocaptcha", "TWOCAPTCHA_BASE_URL"),
        ("omocaptcha", "OMOCAPTCHA_API_VERSION"),
    ] {
        let registry = Registry::standard().with_variables(move |name| {
            let value = if name == variable { "nonsense" } else { TOKEN };
            let is_secret = name.ends_with("KEY") || name.ends_with("TOKEN");
            (is_secret || name == variable).then(|| value.into())
        });
        let config = ChainConfig::new([ProviderConfig::new(kind)]);
        let error = config.build(&registry).unwrap_err();
        let start = format!("environment variable {variable}: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
    let own = ProviderConfig::new("twocaptcha").with("base_url", "ftp://x");
    let error = ChainConfig::new([own]).build(&standard()).unwrap_err();
    assert_eq!(error.path(), "providers.twocaptcha.base_url");
}
