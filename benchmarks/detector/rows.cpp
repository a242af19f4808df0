// SPDX-License-Identifier: MIT
// Many rows scored in one call, by squared error + KL. Workload W4.
#include "support/workloads.hpp"

int main(int argc, char** argv) {
    using namespace bench;
    constexpr Index rows = 10000;
    add({"W4 scoring, 10,000 rows", 2 * table_forward * rows, {scoring(TableModel{}, rows)}});
    return run(argc, argv);
}
