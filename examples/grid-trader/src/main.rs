//! Trades a grid on simulated prices: buys one unit at each line that the price falls below, sells it one line higher.
//!
//! Bot and query program are one: the runtime starts it again to answer queries, with THE0_QUERY_PORT while the bot runs and
//! with QUERY_PATH when it does not.

mod account;
mod market;
mod query;

use account::Account;
use market::Market;
use std::time::Duration;
use std::{env, io, thread};

/// Distance between two lines, in cents.
const STEP: i64 = 25;

fn main() -> io::Result<()> {
    if let Ok(port) = env::var("THE0_QUERY_PORT") {
        query::serve(&port)
    } else if let Ok(path) = env::var("QUERY_PATH") {
        query::answer_once(&path)
    } else {
        trade()
    }
}

fn trade() -> io::Result<()> {
    let mut account = Account::load()?;
    let mut market = Market::from(account.price, account.seed);
    println!("goes on at {} with {} units and {} fills", cents(account.price), account.units, account.fills);
    loop {
        account.price = market.next_price();
        account.seed = market.seed();
        trade_to(&mut account);
        // Price, position and line in one file: whenever SIGTERM comes, they belong together.
        account.save()?;
        thread::sleep(Duration::from_millis(200));
    }
}

/// Fills the orders that wait one line below and one line above the last fill, as often as the price has reached them.
fn trade_to(account: &mut Account) {
    while account.price <= (account.line - 1) * STEP {
        account.line -= 1;
        account.buy(account.line * STEP);
        println!("bought at {}, holds {}", cents(account.line * STEP), account.units);
    }
    while account.price >= (account.line + 1) * STEP {
        account.line += 1;
        if account.units > 0 {
            account.sell(account.line * STEP);
            println!("sold at {}, made {}", cents(account.line * STEP), cents(account.profit()));
        }
    }
}

pub fn cents(amount: i64) -> String {
    format!("{}{}.{:02}", if amount < 0 { "-" } else { "" }, amount.abs() / 100, amount.abs() % 100)
}
