//! The list of options below a field. The focus stays in the field; the arrow keys move the active option.

use super::ids::fresh_id;
use crate::browser;
use leptos::{ev::KeyboardEvent, html, prelude::*};

/// The options of a field and the active one. A handle: copies share the same signals.
///
/// The active option is known by its key, so it stays the same one when the list changes around it.
#[derive(Debug)]
pub struct ListboxState<T: Send + Sync + 'static> {
    id: StoredValue<String>,
    options: Signal<Vec<T>>,
    key: fn(&T) -> String,
    open: RwSignal<bool>,
    active: RwSignal<Option<String>>,
    take: Callback<(T,)>,
    stays_open: bool,
}

impl<T: Send + Sync + 'static> Clone for ListboxState<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for ListboxState<T> {}

impl<T: Clone + Send + Sync + 'static> ListboxState<T> {
    /// A closed list. `take` gets the option that is chosen.
    pub fn new(options: Signal<Vec<T>>, key: fn(&T) -> String, take: Callback<(T,)>) -> Self {
        Self {
            id: StoredValue::new(fresh_id("options")),
            options,
            key,
            open: RwSignal::new(false),
            active: RwSignal::new(None),
            take,
            stays_open: false,
        }
    }

    /// The list stays open after a choice, which leads to further options.
    #[must_use]
    pub fn staying_open(self) -> Self {
        Self {
            stays_open: true,
            ..self
        }
    }

    /// The id of the list, for `aria-controls` of the field.
    #[must_use]
    pub fn id(self) -> String {
        self.id.get_value()
    }

    /// The id of the active option, for `aria-activedescendant` of the field.
    #[must_use]
    pub fn active_id(self) -> Option<String> {
        let at = self.position().filter(|_| self.is_shown())?;
        Some(self.option_id(at))
    }

    #[must_use]
    pub fn is_open(self) -> bool {
        self.open.get()
    }

    /// Whether the list is open and has options.
    #[must_use]
    pub fn is_shown(self) -> bool {
        self.open.get() && self.options.with(|options| !options.is_empty())
    }

    /// Opens the list without an active option.
    pub fn open(self) {
        self.active.set(None);
        self.open.set(true);
    }

    /// Opens the list with the first option active.
    pub fn open_at_first(self) {
        self.active.set(
            self.options
                .with_untracked(|options| options.first().map(self.key)),
        );
        self.open.set(true);
    }

    pub fn close(self) {
        self.open.set(false);
        self.active.set(None);
    }

    /// Does what a key of the field does in the list. Answers whether it did anything.
    pub fn on_key(self, event: &KeyboardEvent) -> bool {
        let name = event.key();
        let is_shown = untrack(|| self.is_shown());
        match name.as_str() {
            "ArrowDown" | "ArrowUp" if self.options.with_untracked(|options| !options.is_empty()) => {
                let next = untrack(|| {
                    let count = self.options.with(Vec::len);
                    next_active(&name, self.position(), count)
                });
                let key = |at: usize| {
                    self.options
                        .with_untracked(|options| options.get(at).map(self.key))
                };
                self.open.set(true);
                self.active.set(next.and_then(key));
            }
            "Enter" if is_shown => match untrack(|| self.active_option()) {
                Some(option) => self.choose(option),
                None => return false,
            },
            "Escape" if is_shown => self.close(),
            _ => return false,
        }
        event.prevent_default();
        event.stop_propagation();
        true
    }

    fn choose(self, option: T) {
        self.open.set(self.stays_open);
        self.active.set(None);
        self.take.run((option,));
    }

    fn option_id(self, at: usize) -> String {
        self.id.with_value(|id| format!("{id}-{at}"))
    }

    fn position(self) -> Option<usize> {
        let active = self.active.get()?;
        self.options
            .with(|options| options.iter().position(|option| (self.key)(option) == active))
    }

    fn active_option(self) -> Option<T> {
        let at = self.position()?;
        self.options.with(|options| options.get(at).cloned())
    }
}

/// The list of a field, below it. An option that stays in the list keeps its element.
#[component]
pub fn Listbox<T>(
    state: ListboxState<T>,
    #[prop(into)] label: String,
    /// The content of an option.
    option: fn(&T) -> AnyView,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let listed = move || {
        if state.open.get() {
            state.options.get()
        } else {
            Vec::new()
        }
    };
    view! {
        <div class="listbox" role="listbox" id=state.id() aria-label=label hidden=move || !state.is_shown()>
            <ForEnumerate each=listed key=move |option| (state.key)(option)
                children=move |at, first| view! { <ListboxOption state at first option/> }/>
        </div>
    }
}

#[component]
fn ListboxOption<T>(
    state: ListboxState<T>,
    at: ReadSignal<usize>,
    first: T,
    option: fn(&T) -> AnyView,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
{
    let key = StoredValue::new((state.key)(&first));
    let current = Memo::new(move |previous: Option<&T>| {
        let is_own = |option: &&T| key.with_value(|key| (state.key)(option) == *key);
        let found = state.options.with(|options| options.iter().find(is_own).cloned());
        found
            .or_else(|| previous.cloned())
            .unwrap_or_else(|| first.clone())
    });
    let is_active = Memo::new(move |_| {
        state
            .active
            .with(|active| key.with_value(|key| active.as_ref() == Some(key)))
    });
    let node = NodeRef::<html::Div>::new();
    Effect::new(move || {
        if let (true, Some(node)) = (is_active.get(), node.get()) {
            browser::scroll_into_view(&node);
        }
    });
    view! {
        <div role="option" id=move || state.option_id(at.get()) node_ref=node
            aria-selected=move || is_active.get().to_string()
            // The focus stays in the field.
            on:mousedown=move |event| { event.prevent_default(); state.choose(current.get_untracked()); }>
            {move || current.with(option)}
        </div>
    }
}

/// The active option after an arrow key, of `count`. It goes round at the ends; an empty list has none.
fn next_active(key: &str, active: Option<usize>, count: usize) -> Option<usize> {
    if count == 0 {
        return None;
    }
    Some(match (key, active) {
        ("ArrowDown", None) => 0,
        ("ArrowDown", Some(at)) => (at + 1) % count,
        (_, None) => count - 1,
        (_, Some(at)) => (at + count - 1) % count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_go_round_and_have_nowhere_to_go_in_an_empty_list() {
        assert_eq!(next_active("ArrowDown", None, 2), Some(0));
        assert_eq!(next_active("ArrowDown", Some(1), 2), Some(0));
        assert_eq!(next_active("ArrowUp", None, 2), Some(1));
        assert_eq!(next_active("ArrowUp", Some(0), 2), Some(1));
        assert_eq!(next_active("ArrowDown", None, 0), None);
    }
}
