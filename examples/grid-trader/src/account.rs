//! What the trader has and where the market was, as it lies in STATE_DIR: a flat JSON object.

use std::path::PathBuf;
use std::{env, fs, io};

pub struct Account {
    /// Cents, as all amounts.
    pub price: i64,
    pub cash: i64,
    pub units: i64,
    /// The grid's line at which the last order was filled, or would have been.
    pub line: i64,
    pub fills: i64,
    pub seed: u64,
}

impl Account {
    pub fn load() -> io::Result<Account> {
        let text = match fs::read_to_string(Account::file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Account::new()),
            text => text?,
        };
        Ok(Account {
            price: number(&text, "price"),
            cash: number(&text, "cash"),
            units: number(&text, "units"),
            line: number(&text, "line"),
            fills: number(&text, "fills"),
            seed: number(&text, "seed") as u64,
        })
    }

    /// Renamed into place: a reader never sees half a file.
    pub fn save(&self) -> io::Result<()> {
        let file = Account::file();
        fs::create_dir_all(file.parent().unwrap())?;
        let written = file.with_extension("new");
        fs::write(&written, self.json())?;
        fs::rename(written, file)
    }

    pub fn buy(&mut self, price: i64) {
        self.cash -= price;
        self.units += 1;
        self.fills += 1;
    }

    pub fn sell(&mut self, price: i64) {
        self.cash += price;
        self.units -= 1;
        self.fills += 1;
    }

    /// What it would be worth to stop now.
    pub fn profit(&self) -> i64 {
        self.cash + self.units * self.price
    }

    pub fn json(&self) -> String {
        format!(
            r#"{{"price":{},"cash":{},"units":{},"line":{},"fills":{},"seed":{},"profit":{}}}"#,
            self.price, self.cash, self.units, self.line, self.fills, self.seed as i64, self.profit()
        )
    }

    fn new() -> Account {
        let price = 10_000;
        Account { price, cash: 0, units: 0, line: price / crate::STEP, fills: 0, seed: 1 }
    }

    fn file() -> PathBuf {
        PathBuf::from(env::var_os("STATE_DIR").expect("STATE_DIR is set by the runtime")).join("account.json")
    }
}

/// The member of that name; serde does this for real ones.
fn number(json: &str, name: &str) -> i64 {
    let rest = json.split(&format!("\"{name}\":")).nth(1).expect(name);
    let digits: String = rest.chars().take_while(|c| *c == '-' || c.is_ascii_digit()).collect();
    digits.parse().expect(name)
}
