//! The pages. Routes, sidebar, "Go to" in the palette, keys, titles, tabs and what is fetched are made of these lists,
//! so a new page is two lines here, its module in `pages`, and its words in `copy`.
//!
//! Which page an address opens is a plain function, [`locate`]: the newest address decides, whatever code arrives when.

use crate::{
    address::decoded,
    components::{
        icon::{Glyph, lucide},
        tabs::Tab,
    },
    copy::{container, device, frame as copy, logs, mesh},
    lazy_views::LazyView,
};

/// A page, which is the same one at all of its addresses.
#[derive(Debug)]
pub struct Page {
    /// The address. A word that begins with a colon stands for any word.
    pub path: &'static str,
    /// What the page itself shows at addresses below its own: tabs, and what opens over or beside its list.
    pub inner: &'static [Inner],
    /// The heading and the window's title, unless the page names an object.
    pub title: &'static str,
    /// Its code.
    pub part: fn() -> LazyView,
    /// Its place in the navigation. Pages of one object have none.
    pub nav: Option<Nav>,
}

/// Something that a page shows at an address below its own.
#[derive(Debug)]
pub struct Inner {
    /// The rest of the address; a tab without one is the first.
    pub path: &'static str,
    /// The label of the tab. What is no tab has none.
    pub tab: Option<&'static str>,
}

/// A link in the sidebar and an entry of the palette.
#[derive(Debug)]
pub struct Nav {
    pub glyph: Glyph,
    pub group: NavGroup,
    /// The key that opens the page after `g`.
    pub key: Option<&'static str>,
    pub badge: Option<Badge>,
}

/// The groups of the sidebar, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NavGroup {
    Fleet,
    Docker,
    System,
}

/// The figure beside a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Badge {
    Devices,
    /// Containers in trouble, if there are any.
    TroubledContainers,
}

/// Where one is: a page, and what it shows at this address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub page: &'static Page,
    /// The path of the page's [`Inner`], or nothing.
    pub inner: &'static str,
    params: Vec<(&'static str, String)>,
}

/// The parts of the bundle with the pages' code.
pub mod parts {
    use crate::{lazy_views::lazy_views, pages};
    use leptos::{
        prelude::*,
        wasm_split::{SplitLoaderError, wasm_split},
    };

    lazy_views! {
        dashboard {
            dashboard: pages::dashboard::DashboardPage;
        }
        lists {
            devices: pages::devices::DevicesPage;
            containers: pages::containers::ContainersPage;
            stacks: pages::stacks::StacksPage;
            images: pages::images::ImagesPage;
            volumes: pages::volumes::VolumesPage;
            networks: pages::networks::NetworksPage;
            activity: pages::activity::ActivityPage;
        }
        details {
            device: pages::device::DevicePage;
            container: pages::container::ContainerPage;
        }
        mesh {
            mesh: pages::mesh::MeshPage;
        }
        rest {
            settings: pages::settings::SettingsPage;
            welcome: pages::welcome::WelcomePage;
            sign_in: pages::sign_in::SignInPage;
        }
    }
}

pub const ADD_DEVICE: &str = "/devices/add";
pub const WELCOME: &str = "/welcome";

/// All pages. Of two that fit an address the first is meant.
pub static PAGES: &[Page] = &[
    Page::new("/", copy::DASHBOARD, parts::dashboard)
        .nav(Nav::new(lucide::LAYOUT_DASHBOARD, NavGroup::Fleet).key("h")),
    Page::new("/devices", copy::DEVICES, parts::devices)
        .inner(ADDING)
        .nav(
            Nav::new(lucide::SERVER, NavGroup::Fleet)
                .key("d")
                .badge(Badge::Devices),
        ),
    Page::new("/devices/:device", copy::DEVICES, parts::device).inner(DEVICE_TABS),
    Page::new("/mesh", copy::MESH, parts::mesh)
        .inner(MESH_TABS)
        .nav(Nav::new(lucide::WAYPOINTS, NavGroup::Fleet).key("m")),
    Page::new("/containers", copy::CONTAINERS, parts::containers)
        .inner(ITEM_OF_DEVICE)
        .nav(
            Nav::new(lucide::BOX, NavGroup::Docker)
                .key("c")
                .badge(Badge::TroubledContainers),
        ),
    Page::new(
        "/containers/:device/:container",
        copy::CONTAINERS,
        parts::container,
    )
    .inner(CONTAINER_TABS),
    Page::new("/stacks", copy::STACKS, parts::stacks)
        .inner(ITEM_OF_DEVICE)
        .nav(Nav::new(lucide::LAYERS, NavGroup::Docker).key("s")),
    Page::new("/images", copy::IMAGES, parts::images)
        .inner(ITEM_OF_DEVICE)
        .nav(Nav::new(lucide::IMAGE, NavGroup::Docker)),
    Page::new("/volumes", copy::VOLUMES, parts::volumes)
        .inner(ITEM_OF_DEVICE)
        .nav(Nav::new(lucide::HARD_DRIVE, NavGroup::Docker)),
    Page::new("/networks", copy::NETWORKS, parts::networks)
        .inner(ITEM_OF_DEVICE)
        .nav(Nav::new(lucide::NETWORK, NavGroup::Docker)),
    Page::new("/activity", copy::ACTIVITY, parts::activity).nav(Nav::new(lucide::HISTORY, NavGroup::System)),
    Page::new("/settings", copy::SETTINGS, parts::settings).nav(Nav::new(lucide::SETTINGS, NavGroup::System)),
    Page::new(WELCOME, copy::WELCOME, parts::welcome),
];

/// The dialog over the list.
const ADDING: &[Inner] = &[opened("add")];

/// A panel with one item of a device, beside the list of all.
const ITEM_OF_DEVICE: &[Inner] = &[opened(":device/:item")];

/// The address without a tab is that of the panel beside the list.
const CONTAINER_TABS: &[Inner] = &[tab("logs", logs::LOGS), tab("inspect", container::INSPECT)];

const DEVICE_TABS: &[Inner] = &[
    tab("", device::OVERVIEW),
    tab("containers", device::CONTAINERS),
    tab("paths", device::PATHS),
    tab("tags", device::TAGS),
    tab("trust", device::TRUST),
];

const MESH_TABS: &[Inner] = &[
    tab("", mesh::MAP),
    tab("paths", mesh::PATHS),
    tab("policy", mesh::POLICY),
    opened("policy/explain"),
];

const fn tab(path: &'static str, label: &'static str) -> Inner {
    Inner {
        path,
        tab: Some(label),
    }
}

const fn opened(path: &'static str) -> Inner {
    Inner { path, tab: None }
}

/// The page of an address, which may be percent-encoded.
#[must_use]
pub fn locate(address: &str) -> Option<Place> {
    let words: Vec<&str> = words(address).collect();
    PAGES.iter().find_map(|page| page.at(&words))
}

/// The pages in the navigation, in its order.
pub fn nav() -> impl Iterator<Item = (&'static Page, &'static Nav)> {
    PAGES.iter().filter_map(|page| Some((page, page.nav.as_ref()?)))
}

fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|word| !word.is_empty())
}

impl Page {
    const fn new(path: &'static str, title: &'static str, part: fn() -> LazyView) -> Self {
        Self {
            path,
            inner: &[],
            title,
            part,
            nav: None,
        }
    }

    const fn inner(self, inner: &'static [Inner]) -> Self {
        Self { inner, ..self }
    }

    const fn nav(self, nav: Nav) -> Self {
        Self {
            nav: Some(nav),
            ..self
        }
    }

    /// The tabs, each with the rest of its address as value.
    #[must_use]
    pub fn tabs(&self) -> Vec<Tab> {
        let tabs = self
            .inner
            .iter()
            .filter_map(|inner| Some(Tab::new(inner.path, inner.tab?)));
        tabs.collect()
    }

    /// The rests of its addresses. A page with tabs is nowhere but at its tabs and at what opens over them.
    fn insides(&self) -> impl Iterator<Item = &'static str> {
        let has_tabs = self.inner.iter().any(|inner| inner.tab.is_some());
        let bare = (!has_tabs).then_some("");
        bare.into_iter().chain(self.inner.iter().map(|inner| inner.path))
    }

    fn at(&'static self, address: &[&str]) -> Option<Place> {
        self.insides().find_map(|inner| {
            let pattern: Vec<_> = words(self.path).chain(words(inner)).collect();
            let params = matched(&pattern, address)?;
            Some(Place {
                page: self,
                inner,
                params,
            })
        })
    }
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for Page {}

impl Nav {
    const fn new(glyph: Glyph, group: NavGroup) -> Self {
        Self {
            glyph,
            group,
            key: None,
            badge: None,
        }
    }

    const fn key(self, key: &'static str) -> Self {
        Self {
            key: Some(key),
            ..self
        }
    }

    const fn badge(self, badge: Badge) -> Self {
        Self {
            badge: Some(badge),
            ..self
        }
    }
}

impl Place {
    /// The first address of a page, without any parameters.
    #[must_use]
    pub const fn of(page: &'static Page) -> Self {
        Self {
            page,
            inner: "",
            params: Vec::new(),
        }
    }

    /// A parameter of the address, decoded; nothing where this address has none of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The tab of this address, also where something is open in it.
    #[must_use]
    pub fn tab(&self) -> &'static str {
        self.inner.split('/').next().unwrap_or_default()
    }

    /// Whether both are the page of the same object. A tab or a panel beside a list is no other page.
    #[must_use]
    pub fn is_page_of(&self, other: &Self) -> bool {
        let object = |place: &Self| {
            words(place.page.path)
                .filter(|word| word.starts_with(':'))
                .count()
        };
        self.page == other.page && self.params[..object(self)] == other.params[..object(other)]
    }
}

/// The parameters of an address that fits the pattern.
fn matched(pattern: &[&'static str], address: &[&str]) -> Option<Vec<(&'static str, String)>> {
    if pattern.len() != address.len() {
        return None;
    }
    let mut params = Vec::new();
    for (part, word) in pattern.iter().zip(address) {
        match part.strip_prefix(':') {
            Some(name) => params.push((name, decoded(word))),
            None if part == word => {}
            None => return None,
        }
    }
    Some(params)
}

#[cfg(test)]
mod tests;
