// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "../core/error.hpp"
#include "../core/random.hpp"
#include "policy.hpp"

namespace untoward UNTOWARD_SETTING::detail {

// The endless shuffled stream of row numbers: every batch is full, and no row is left out of a pass.
class RowStream {
public:
    RowStream(Index rows, std::uint64_t seed) : order_(static_cast<std::size_t>(rows)), seed_(seed) {}

    /// The next rows.
    void next(std::span<std::uint32_t> ids) {
        for (std::uint32_t& id : ids) {
            if (position_ == 0) shuffle();
            id = static_cast<std::uint32_t>(order_[static_cast<std::size_t>(position_)]);
            if (++position_ == static_cast<std::int64_t>(order_.size())) {
                position_ = 0;
                ++epoch_;
            }
        }
    }
    /// Whole passes that are over.
    [[nodiscard]] std::uint32_t epoch() const { return static_cast<std::uint32_t>(epoch_); }

    void visit_state(StateVisitor& visitor) {
        visitor.visit("rows.epoch", epoch_);
        visitor.visit("rows.position", position_);
    }
    /// To be called when a state was put back.
    void restored() {
        if (epoch_ < 0 || epoch_ > 0xffffffff || position_ < 0 ||
            position_ >= static_cast<std::int64_t>(order_.size()))
            fail("the state of training that was put back has no such row: pass ", epoch_, ", place ",
                 position_, " of ", order_.size());
        if (position_ != 0) shuffle();
    }

private:
    static constexpr std::uint64_t site = 2;  // of the shuffles; `fit` uses 1 for the split

    void shuffle() { permutation(seed_, site, std::span<Index>(order_), static_cast<std::uint32_t>(epoch_)); }

    std::vector<Index> order_;
    std::uint64_t seed_;
    std::int64_t position_ = 0;
    std::int64_t epoch_ = 0;
};

}  // namespace untoward::detail
