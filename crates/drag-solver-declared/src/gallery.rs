//! Services that are declared in this crate.

macro_rules! gallery {
    ($($name:literal,)+) => {
        /// The declarations that come with this crate: names, and texts in TOML. What is documented of each and
        /// what is a guess is said in it; none was tried on the real service.
        pub const GALLERY: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../services/", $name, ".toml"))),)+
        ];
    };
}

gallery! {
    "anysolver",
    "azcaptcha",
    "betacaptcha",
    "botlab",
    "capguru",
    "capmonster",
    "captchaai",
    "capzy",
    "deathbycaptcha",
    "gather-proxy",
    "hmcaptcha",
    "nocaptchaai",
    "ohmycaptcha",
    "omocaptcha-web",
    "rucaptcha",
    "sctg",
    "solvecaptcha",
    "solvecha",
    "ucaptcha",
}
