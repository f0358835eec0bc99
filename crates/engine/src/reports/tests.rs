//! A reader who applies the reports holds the newer of two views, for any difference between them.

use super::*;
use flotilla_protocol::inventory::{EngineFacts, Image, Volume};
use proptest::{collection::btree_map, prelude::*};

/// The simplest possible reader.
#[derive(Debug, Default, PartialEq)]
struct Reader {
    state: Option<EngineState>,
    items: BTreeMap<(flotilla_protocol::inventory::Kind, String), Item>,
}

fn index(inventory: &Inventory) -> BTreeMap<(flotilla_protocol::inventory::Kind, String), Item> {
    let images = inventory.images.iter().cloned().map(Item::Image);
    let volumes = inventory.volumes.iter().cloned().map(Item::Volume);
    images
        .chain(volumes)
        .map(|item| ((item.kind(), item.key().to_owned()), item))
        .collect()
}

impl Reader {
    fn apply(&mut self, report: Report) {
        match report {
            Report::Engine(state) => self.state = Some(state),
            Report::Inventory(inventory) => self.items = index(&inventory),
            Report::Upsert { items } => {
                for item in items {
                    self.items.insert((item.kind(), item.key().to_owned()), item);
                }
            }
            Report::Remove { items } => {
                for item in items {
                    assert!(
                        self.items.remove(&(item.kind, item.key)).is_some(),
                        "removed twice"
                    );
                }
            }
            other => panic!("an engine does not report {other:?}"),
        }
    }
}

fn image(id: String, used_by: u32) -> Image {
    Image {
        id,
        tags: vec![],
        digests: vec![],
        size_bytes: 1,
        created: None,
        used_by: Some(used_by),
    }
}

fn volume(name: String, used_by: u32) -> Volume {
    Volume {
        name,
        driver: "local".into(),
        mountpoint: String::new(),
        created: None,
        used_by: (0..used_by).map(|n| n.to_string()).collect(),
        stack: None,
        labels: BTreeMap::default(),
    }
}

fn running() -> EngineState {
    EngineState::Running(EngineFacts::default())
}

fn views() -> impl Strategy<Value = View> {
    let things = || btree_map("[a-d]", 0..3_u32, 0..4);
    let inventory = (things(), things()).prop_map(|(images, volumes)| Inventory {
        images: images.into_iter().map(|(id, n)| image(id, n)).collect(),
        volumes: volumes.into_iter().map(|(name, n)| volume(name, n)).collect(),
        ..Inventory::default()
    });
    prop_oneof![
        4 => inventory.prop_map(|inventory| View {
            inventory: Some(Arc::new(inventory)),
            ..View::without_inventory(running())
        }),
        1 => Just(View::without_inventory(running())),
        1 => "[a-b]".prop_map(|reason| View::without_inventory(EngineState::Stopped { reason, since: None })),
    ]
}

proptest! {
    #[test]
    fn a_reader_who_applies_every_report_holds_the_last_view(views in proptest::collection::vec(views(), 1..8)) {
        let (mut reports, mut reader) = (Reports::default(), Reader::default());
        for view in &views {
            reports.handle_view(view);
            while let Some(report) = reports.poll_report() { reader.apply(report); }
            prop_assert_eq!(reader.state.as_ref(), Some(&view.state));
            if let Some(inventory) = &view.inventory {
                prop_assert_eq!(&reader.items, &index(inventory));
            }
        }
    }

    #[test]
    fn the_same_view_twice_says_nothing(view in views()) {
        let mut reports = Reports::default();
        reports.handle_view(&view);
        while reports.poll_report().is_some() {}
        reports.handle_view(&view);
        prop_assert!(reports.poll_report().is_none());
    }
}

#[test]
fn only_what_changed_is_told_and_what_is_gone_first() {
    let view = |images: &[(&str, u32)]| View {
        inventory: Some(Arc::new(Inventory {
            images: images.iter().map(|(id, n)| image((*id).into(), *n)).collect(),
            ..Inventory::default()
        })),
        ..View::without_inventory(running())
    };
    let mut reports = Reports::default();
    reports.handle_view(&view(&[("a", 0), ("b", 0), ("c", 0)]));
    while reports.poll_report().is_some() {}
    reports.handle_view(&view(&[("a", 0), ("b", 1)]));
    assert!(matches!(reports.poll_report(), Some(Report::Remove { items }) if items[0].key == "c"));
    assert!(matches!(reports.poll_report(), Some(Report::Upsert { items }) if items.len() == 1));
    assert_eq!(reports.poll_report(), None);
}
