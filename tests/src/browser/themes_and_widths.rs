//! A page in each theme and at each width: nothing is wider than the window, and axe-core finds nothing serious.

use anyhow::{Result, ensure};

use super::Page;

const THEMES: [&str; 2] = ["light", "dark"];

/// Widths of a laptop's window and of a narrow phone, in pixels.
const WIDTHS: [u32; 2] = [1280, 320];

impl Page {
    /// Opens each route, looks at it in each theme at each width, keeps pictures of it as `PREFIX-ROUTE-WIDTH-THEME`,
    /// and fails with the faults of all of them.
    pub async fn is_faultless_in_every_theme_and_width(
        &self,
        prefix: &str,
        api: &str,
        routes: &[&str],
    ) -> Result<()> {
        let mut wrong = Vec::new();
        for route in routes {
            self.open(&format!("{api}{route}")).await?;
            for width in WIDTHS {
                self.resize(width, 800).await?;
                let name = format!("{prefix}{}-{width}", route.replace(['/', '?'], "-"));
                wrong.extend(self.faults_in_every_theme(&name).await?);
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    }

    /// Fails with the faults of the page as it is shown, in each theme. Keeps pictures as `NAME-THEME`.
    pub async fn is_faultless(&self, name: &str) -> Result<()> {
        let wrong = self.faults_in_every_theme(name).await?;
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    }

    /// The faults of the page as it is shown, in each theme. Keeps pictures as `NAME-THEME`.
    pub async fn faults_in_every_theme(&self, name: &str) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for theme in THEMES {
            self.prefer_theme(theme).await?;
            self.wait_until_still().await?;
            let name = format!("{name}-{theme}");
            self.keep_picture(&name).await?;
            wrong.extend(self.faults(&name).await?);
        }
        Ok(wrong)
    }

    /// The faults of the page as it is shown, each with `name`, which is also that of its picture.
    pub async fn faults(&self, name: &str) -> Result<Vec<String>> {
        let overflow = self.overflow().await?;
        let too_wide = (overflow > 0).then(|| format!("{name}: {overflow} px wider than the window"));
        let found = self.serious_violations().await?.into_iter().map(|found| {
            let place = found.nodes.into_iter().next().map(|node| node.html);
            format!(
                "{name}: {} ({}) at {}",
                found.id,
                found.help,
                place.unwrap_or_default()
            )
        });
        Ok(too_wide.into_iter().chain(found).collect())
    }
}
