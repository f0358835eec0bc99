//! Scripts of the bundle, each with the npm packages that it needs. One is fetched when it is first needed.

use js_sys::{Array, Function, Promise, Reflect};
use leptos::logging;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The object of the page's first script in which each script has a function that fetches it.
const SCRIPTS: &str = "scripts";

/// An object whose functions can be called: what a script exports, or what such a function returned.
#[derive(Debug, Clone)]
pub struct Script(JsValue);

impl Script {
    /// Fetches `ui/js/NAME.js`. `None` if it does not arrive.
    pub async fn fetch(name: &str) -> Option<Self> {
        let scripts = Self(Reflect::get(&js_sys::global(), &JsValue::from_str(SCRIPTS)).ok()?);
        let fetched: Promise = scripts.call(name, &[])?.0.dyn_into().ok()?;
        JsFuture::from(fetched).await.ok().map(Self)
    }

    /// Calls a function. What it throws is in the browser's console, and answers `None`.
    pub fn call(&self, name: &str, arguments: &[JsValue]) -> Option<Self> {
        let function: Function = Reflect::get(&self.0, &JsValue::from_str(name))
            .ok()?
            .dyn_into()
            .ok()?;
        let answer = function.apply(&self.0, &arguments.iter().collect::<Array>());
        answer
            .map(Self)
            .map_err(|thrown| logging::error!("{name}: {thrown:?}"))
            .ok()
    }
}
