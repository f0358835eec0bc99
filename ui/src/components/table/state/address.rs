//! A table's filter and order in the page's address, so that a view can be linked and bookmarked.

use super::{TableState, order};
use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
    params::ParamsMap,
};

/// The address changes after the filter did not change for this long. The rows change at once.
const WRITE_AFTER_MS: u32 = 200;

const FILTER: &str = "q";
const SORT: &str = "sort";

impl TableState {
    pub(super) fn follow_address(self) {
        let location = use_location();
        let navigate = use_navigate();
        Effect::new(move |_| self.read_address(&location.query.get()));
        let timer = StoredValue::new_local(None::<Timeout>);
        let here = use_location();
        Effect::new(move |first: Option<()>| {
            let heads = self.spec.heads();
            let sort = self.sort.with(|sort| order::sort_to_text(sort, &heads));
            let text = self.filter();
            if first.is_none() {
                return;
            }
            let (navigate, here, path) = (navigate.clone(), here.clone(), here.pathname.get_untracked());
            let write = move || {
                let mut query = here.query.get_untracked();
                let stayed = here.pathname.get_untracked() == path;
                set(&mut query, FILTER, &text);
                set(&mut query, SORT, &sort);
                if stayed && query != here.query.get_untracked() {
                    let options = NavigateOptions {
                        replace: true,
                        scroll: false,
                        ..Default::default()
                    };
                    navigate(&format!("{path}{}", query.to_query_string()), options);
                }
            };
            timer.set_value(Some(Timeout::new(WRITE_AFTER_MS, write)));
        });
    }

    fn read_address(self, query: &ParamsMap) {
        self.set_filter(&query.get(FILTER).unwrap_or_default());
        let sort = order::sort_from_text(&query.get(SORT).unwrap_or_default(), &self.spec.heads());
        if self.sort.with_untracked(|shown| *shown != sort) {
            self.sort.set(sort);
        }
    }
}

fn set(query: &mut ParamsMap, name: &str, value: &str) {
    query.remove(name);
    if !value.trim().is_empty() {
        query.insert(name.to_owned(), value.trim().to_owned());
    }
}
