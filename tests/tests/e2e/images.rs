//! Images where containerd holds them: what a container calls its image is what the list calls it.

use std::fs;

use anyhow::{Result, ensure};
use flotilla_tests::eventually::{eventually, seconds};
use flotilla_tests::followed_engine::FollowedEngine;
use flotilla_tests::handmade_image::{HandmadeImage, INDEX};
use flotilla_tests::lab::{CONTROL, EngineVersion, Lab, on};
use flotilla_tests::program::run;
use tokio::net::TcpListener;

/// The store of images that newer installations begin with.
const CONTAINERD_STORE: &str =
    r#"{"features": {"containerd-snapshotter": true}, "storage-driver": "native"}"#;

#[test]
fn an_image_in_use_is_never_called_unused_where_containerd_holds_the_images() -> Result<()> {
    let lab = Lab::without_engines(1)?;
    let settings = lab.machine(1).directory().join("etc-docker/daemon.json");
    fs::write(settings, CONTAINERD_STORE)?;
    on(lab, async |lab| {
        lab.machine_mut(1).use_engine(EngineVersion::Current);
        lab.machine_mut(1).start_engine()?;
        let machine = lab.machine(1);
        machine.wait_for_engine(seconds(30.0))?;
        let driver = run(machine.docker().args(["info", "--format", "{{.DriverStatus}}"]))?;
        ensure!(driver.contains("io.containerd.snapshotter"), "{driver}");
        let listener = TcpListener::bind((CONTROL, 5000)).await?;
        let digest = HandmadeImage::new(Some("2026-01-02T03:04:05Z"))?.serve("team/app", listener)?;
        let repository = format!("{CONTROL}:5000/team/app");
        let pinned = format!("{repository}@{digest}");
        let tagged = format!("{repository}:1");
        let index = format!("{repository}:{INDEX}");
        for (name, image) in [("pinned", &pinned), ("tagged", &tagged), ("many", &index)] {
            run(machine.docker().args(["pull", image]))?;
            run(machine.docker().args(["create", "--name", name, image]))?;
        }
        for (number, date) in [(0, "2026-01-02T03:04:05Z"), (1, "2026-02-03T04:05:06Z")] {
            let file = machine.directory().join("made.tar");
            fs::write(
                &file,
                HandmadeImage::new(Some(date))?.archive(&format!("made:{number}"))?,
            )?;
            run(machine.docker().args(["load", "--input"]).arg(&file))?;
        }
        run(machine.docker().args(["create", "--name=made", "made:0"]))?;
        let followed = FollowedEngine::start(machine);
        let is_right = async |expected: [(&str, u32); 4]| {
            eventually("all images are right", seconds(5.0), async || {
                let images = followed.inventory().await?.images;
                let mut shown: Vec<_> = images
                    .iter()
                    .map(|image| (image.tags.join(" "), image.used_by))
                    .collect();
                shown.sort();
                let expected = expected.map(|(tags, used_by)| (tags.to_owned(), Some(used_by)));
                ensure!(shown == expected, "{images:#?}");
                Ok(())
            })
            .await
        };
        is_right([(&tagged, 2), (&index, 1), ("made:0", 1), ("made:1", 0)]).await?;
        // Names of images in use go to one that is not.
        for name in ["made:0", &index] {
            run(machine.docker().args(["tag", "made:1", name]))?;
        }
        let all = format!("{index} made:0 made:1");
        is_right([("", 1), ("", 1), (&tagged, 2), (&all, 0)]).await
    })
}
