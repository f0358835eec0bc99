//! What people see of lists.

use super::*;

fn container_json(name: &str, status: &str, health: &str) -> serde_json::Value {
    serde_json::json!({
        "id": "4f1c", "name": name, "image": "postgres:17", "state": "running", "status": status, "health": health,
        "stack": null, "created": "2026-01-01T00:00:00Z",
        "ports": [
            {"private": 80, "protocol": "tcp", "public": 8080, "address": "0.0.0.0"},
            {"private": 80, "protocol": "tcp", "public": 8080, "address": "::"},
            {"private": 53, "protocol": "udp"},
        ],
    })
}

fn row(device: &str, item: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "device": device, "device_id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "item": item,
        "as_of": "2026-01-02T03:04:05Z",
    })
}

#[test]
fn scripts_find_the_fields_of_an_item_beside_those_of_its_row() {
    let item = container_json("postgres", "Running", "healthy");
    let list: List<Row<Container>> =
        decoded(serde_json::json!({"items": [row("nas", item)], "unreachable_devices": [], "seq": 7}));
    let printed = serde_json::to_value(flat(&list)).unwrap();
    let first = &printed["items"][0];
    assert_eq!(
        (&first["device"], &first["name"], &first["state"]),
        (&"nas".into(), &"postgres".into(), &"running".into())
    );
    assert_eq!(
        (&first["as_of"], &printed["seq"]),
        (&"2026-01-02T03:04:05Z".into(), &7.into())
    );
    assert!(first.get("item").is_none(), "{first}");
}

#[test]
fn only_what_cannot_be_asked_now_shows_its_age() {
    let mut member = container_json("postgres", "Running", "unhealthy");
    member["pod"] = "member".into();
    let list: List<Row<Container>> = serde_json::from_value(serde_json::json!({
        "items": [
            row("nas", member),
            row("pi-garage", container_json("web", "Exited (1)", "none")),
        ],
        "unreachable_devices": [{"device": "pi-garage", "reason": "offline"}],
    }))
    .unwrap();
    let heading = [
        "DEVICE",
        "CONTAINER",
        "STATUS",
        "STACK",
        "POD",
        "IMAGE",
        "PORTS",
        "AS OF",
    ];
    let now = "2026-01-02T07:05:00Z".parse().unwrap();
    insta::assert_snapshot!(table(&list, (heading, container), now).render(), @r"
    DEVICE      CONTAINER   STATUS                POD      IMAGE         PORTS             AS OF
    nas         postgres    Running (unhealthy)   member   postgres:17   8080→80, 53/udp
    pi-garage   web         Exited (1)                     postgres:17   8080→80, 53/udp   4 h ago
    ");
}

#[test]
fn sizes_have_three_digits_or_one_decimal() {
    for (bytes, text) in [
        (0, "0 B"),
        (999, "999 B"),
        (1_234_567, "1.2 MB"),
        (345_000_000, "345 MB"),
        (5_000_000_000, "5.0 GB"),
    ] {
        assert_eq!(size(bytes), text);
    }
}

#[test]
fn an_id_is_shown_as_engines_show_it() {
    assert_eq!(short("sha256:0123456789abcdef"), "0123456789ab");
}

fn decoded<T: serde::de::DeserializeOwned>(json: serde_json::Value) -> T {
    serde_json::from_value(json).unwrap()
}

fn cell<const N: usize, T>(cells: fn(&T, String, String) -> [String; N], item: &T, place: usize) -> String {
    cells(item, String::new(), String::new())
        .into_iter()
        .nth(place)
        .unwrap()
}

#[test]
fn a_thousand_ports_are_one_range_and_those_of_the_device_alone_say_so() {
    let mut json = container_json("range", "Running", "none");
    json["ports"] = serde_json::json!([
        {"private": 80, "protocol": "tcp", "public": 18016, "address": "127.0.0.1"},
        {"private": 20000, "private_last": 20999, "protocol": "udp", "public": 20000, "address": "0.0.0.0"},
        {"private": 20000, "private_last": 20999, "protocol": "udp", "public": 20000, "address": "::"},
    ]);
    assert_eq!(
        cell(container, &decoded(json.clone()), 6),
        "127.0.0.1:18016→80, 20000-20999/udp"
    );
    let odd = (0..40).map(|n| serde_json::json!({"private": 2 * n, "protocol": "tcp"}));
    json["ports"] = odd.collect();
    assert_eq!(
        cell(container, &decoded(json), 6),
        "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, and 28 more"
    );
}

#[test]
fn forty_containers_with_thousands_of_ports_each_are_a_table_at_once() {
    let odd =
        (0..2000).map(|n| serde_json::json!({"private": 2 * n, "protocol": "tcp", "public": 20_000 + 3 * n}));
    let mut json = container_json("range", "Running", "none");
    json["ports"] = odd.collect();
    let list: List<Row<Container>> =
        decoded(serde_json::json!({"items": vec![row("nas", json); 40], "unreachable_devices": []}));
    let now = "2026-01-02T07:05:00Z".parse().unwrap();
    let begun = std::time::Instant::now();
    let heading = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let table = table(&list, (heading, container), now).render().to_string();
    // Some ten times what an unoptimized build takes.
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(table.lines().count(), 41);
    assert!(
        table
            .lines()
            .skip(1)
            .all(|line| line.ends_with("and 1988 more") && line.len() < 250),
        "{table}"
    );
}

#[test]
fn a_container_that_could_not_be_started_or_read_says_why() {
    let mut json = container_json("clash", "Created", "none");
    json["state"] = "created".into();
    json["failure"] = "port is already allocated".into();
    assert_eq!(
        cell(container, &decoded(json.clone()), 2),
        "Created, could not be started: port is already allocated"
    );
    json["failure"] = serde_json::Value::Null;
    json["unread"] = "error 500: layer does not exist".into();
    assert_eq!(
        cell(container, &decoded(json), 2),
        "Created (not read: error 500: layer does not exist)"
    );
}

#[test]
fn an_image_is_named_by_what_is_known_of_it_and_nothing_is_guessed() {
    let shown = |tags: &[&str], digests: &[&str]| {
        let json = serde_json::json!({"id": "sha256:0123456789abcdef", "tags": tags, "digests": digests, "size_bytes": 1,
            "created": null, "used_by": null});
        let cells = image(&decoded(json), String::new(), String::new());
        (cells[1].clone(), cells[4].clone(), cells[5].clone())
    };
    let digest = "10.77.0.1:5000/team/app@sha256:fedcba9876543210";
    let unknown = || "unknown".to_owned();
    assert_eq!(
        shown(&[], &[digest]),
        (
            "10.77.0.1:5000/team/app@fedcba987654".to_owned(),
            unknown(),
            unknown()
        )
    );
    assert_eq!(shown(&["nginx:1"], &[digest]).0, "nginx:1");
    assert_eq!(shown(&[], &[]).0, "<none>");
}

#[test]
fn a_stack_says_where_it_comes_from_and_that_its_name_is_not_one_folders_alone() {
    let mut json = serde_json::json!({"name": "app", "services": [], "running": 2, "total": 2, "unhealthy": 0, "config_files": ["-"]});
    assert_eq!(cell(stack, &decoded(json.clone()), 4), "from standard input");
    json["folders"] = serde_json::json!([
        {"path": "/srv/one/app", "services": [], "config_files": ["/srv/one/app/compose.yaml"]},
        {"path": "/srv/two/app", "services": [], "config_files": ["/srv/two/app/compose.yaml"]},
    ]);
    assert_eq!(
        cell(stack, &decoded(json), 4),
        "2 folders use this name: /srv/one/app (/srv/one/app/compose.yaml), /srv/two/app (/srv/two/app/compose.yaml)"
    );
}
