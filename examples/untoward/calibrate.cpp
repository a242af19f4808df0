// SPDX-License-Identifier: MIT
#include <cstdio>

#include <untoward/thresholds/rounding.hpp>

#include "commands.hpp"
#include "model.hpp"
#include "tables.hpp"

namespace program {

namespace io = untoward::io;

void calibrate(const CalibrateArguments& arguments) {
    Model model = Model::load(arguments.model);
    const Eigen::MatrixXf x = read_normal_rows(arguments.table, model.coding());
    const untoward::AnyThreshold<float> policy =
        untoward::Conformal{.false_alarm_rate = arguments.false_alarm_rate};
    model.set_threshold(policy.calibrate(untoward::raised_for_rounding(model.score(x))));
    model.save(arguments.out);
    std::fprintf(stderr, "%s\nwrote %s\n", model.promise().c_str(), io::output_name(arguments.out).c_str());
}

}  // namespace program
