//! Simulated prices: a random walk that goes on where it was. A real bot asks its exchange here.

pub struct Market {
    price: i64,
    seed: u64,
}

impl Market {
    pub fn from(price: i64, seed: u64) -> Market {
        Market { price, seed }
    }

    /// In cents; never below one line of the grid.
    pub fn next_price(&mut self) -> i64 {
        // Knuth's linear congruential generator; its high bits are the good ones.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.price = (self.price + (self.seed >> 33) as i64 % 61 - 30).max(crate::STEP);
        self.price
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }
}
