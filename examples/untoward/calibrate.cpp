// SPDX-License-Identifier: MIT
#include <cstdio>
#include <numeric>

#include "commands.hpp"
#include "model.hpp"
#include "tables.hpp"

namespace program {

using untoward::Index;
namespace io = untoward::io;

void calibrate(const CalibrateArguments& arguments) {
    Model model = Model::load(arguments.model);
    const io::Table table = io::read_table(arguments.table, model.coding().text_columns());
    if (table.rows() == 0) untoward::fail(table.name(), ": no rows to calibrate on");
    const Eigen::MatrixXf x = model.coding().matrix(table);
    std::vector<Index> rows(static_cast<std::size_t>(table.rows()));
    std::iota(rows.begin(), rows.end(), Index{0});
    require_finite(table, model.coding(), x, rows);
    const untoward::AnyThreshold<float> policy =
        untoward::Conformal{.false_alarm_rate = arguments.false_alarm_rate};
    model.set_threshold(policy.calibrate(model.score(x)));
    model.save(arguments.out);
    std::fprintf(stderr, "%s\nwrote %s\n", model.promise().c_str(), io::output_name(arguments.out).c_str());
}

}  // namespace program
