//! Every table is declared without a slip that the compiler cannot see.

use super::{containers::CONTAINERS, devices::DEVICES, paths::PATHS};
use crate::{
    components::table::{Table, TableRow, slips},
    pages::{activity::ACTIVITY, images::IMAGES, networks::NETWORKS, stacks::STACKS, volumes::VOLUMES},
};

fn slips_of<R: TableRow>(table: &'static Table<R>) -> Vec<String> {
    let word = table.about.word;
    slips::<R>()
        .into_iter()
        .map(|slip| format!("{word}: {slip}"))
        .collect()
}

#[test]
fn every_table_has_an_order_two_lines_and_a_word_for_each_column() {
    let slips = [
        slips_of(&ACTIVITY),
        slips_of(&CONTAINERS),
        slips_of(&DEVICES),
        slips_of(&IMAGES),
        slips_of(&NETWORKS),
        slips_of(&PATHS),
        slips_of(&STACKS),
        slips_of(&VOLUMES),
    ];
    assert_eq!(slips.concat(), Vec::<String>::new());
}
