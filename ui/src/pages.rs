//! One module per page, and what several pages share: `addresses` and `inventory_table`.

pub mod activity;
pub mod add_device;
pub mod addresses;
pub mod container;
pub mod containers;
pub mod dashboard;
pub mod device;
pub mod devices;
pub mod images;
pub mod inventory_table;
pub mod mesh;
pub mod networks;
pub mod not_found;
pub mod settings;
pub mod sign_in;
pub mod stacks;
pub mod volumes;
pub mod welcome;
