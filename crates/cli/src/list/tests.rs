//! Tables as people see them.

use super::*;

fn container_row(device: &str, name: &str, status: &str, health: &str) -> serde_json::Value {
    serde_json::json!({
        "device": device, "device_id": "01937c5e-7b1a-7c3e-8b9e-0123456789ab", "as_of": "2026-01-02T03:04:05Z",
        "id": "4f1c", "name": name, "image": "postgres:17", "state": "running", "status": status, "health": health,
        "stack": null, "created": "2026-01-01T00:00:00Z",
        "ports": [
            {"private": 80, "protocol": "tcp", "public": 8080, "address": "0.0.0.0"},
            {"private": 80, "protocol": "tcp", "public": 8080, "address": "::"},
            {"private": 53, "protocol": "udp"},
        ],
    })
}

#[test]
fn only_what_cannot_be_asked_now_shows_its_age() {
    let mut member = container_row("nas", "postgres", "Running", "unhealthy");
    member["pod"] = "member".into();
    let list: List<Row<Container>> = serde_json::from_value(serde_json::json!({
        "items": [
            member,
            container_row("pi-garage", "web", "Exited (1)", "none"),
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
    insta::assert_snapshot!(table(&list, heading, container, now).render(), @r"
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
