//! The program that the page loads: mounts the application.

fn main() {
    flotilla_ui::start();
}
