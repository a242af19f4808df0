// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <filesystem>

/// What the column `fraud_kind` says.
inline constexpr std::array fraud_names{"none", "card_testing", "stolen_card", "account_takeover",
                                        "cloned_card"};

/// Reads train.csv, test.csv and scored.csv in a folder; prints what the detector caught at which false-alarm
/// rate, and what it caught that hand-written rules miss. Throws untoward::Error for tables that are not those.
void report(const std::filesystem::path& folder);
