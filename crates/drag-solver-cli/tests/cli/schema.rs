//! The published schemas.

use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Value, json};

/// A page of `docs`.
pub(crate) fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    std::fs::read_to_string(docs.join(name)).unwrap()
}

/// A published schema, and here no member is allowed that it does not know.
pub(crate) struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    /// The schema of this file of `docs`, and others that it names.
    pub(crate) fn new(name: &str, others: &[&str]) -> Self {
        let url = |name: &str| format!("https://example.com/{name}");
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        for name in others.iter().chain([&name]) {
            let mut schema: Value = serde_json::from_str(&page(name)).unwrap();
            for definition in schema["$defs"].as_object_mut().unwrap().values_mut() {
                if definition.get("properties").is_some() {
                    definition["additionalProperties"] = json!(false);
                }
            }
            compiler.add_resource(&url(name), schema).unwrap();
        }
        let index = compiler.compile(&url(name), &mut schemas).unwrap();
        Self { schemas, index }
    }

    #[track_caller]
    pub(crate) fn check(&self, line: &str) -> Value {
        let value: Value = serde_json::from_str(line).unwrap();
        if let Err(error) = self.schemas.validate(&value, self.index) {
            panic!("{error:#}\n{line}");
        }
        value
    }
}
