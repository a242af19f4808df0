// SPDX-License-Identifier: MIT
#include <cstdio>

#include <untoward/io/file.hpp>

#include "commands.hpp"
#include "model.hpp"

namespace program {

namespace io = untoward::io;

namespace {

/// What the code of a detector takes at most, beside its constants: measured for dense models on a Cortex-M4 at -Os,
/// with everything that FlashDetector does (tests/house/embedded.py keeps it there).
constexpr std::size_t code_bytes = 6 * 1024;

}  // namespace

void export_model(const ExportArguments& arguments) {
    const Model model = Model::load(arguments.model);
    const std::size_t constants = model.flash_bytes();
    const std::string needs = "the detector needs " + std::to_string(constants) +
                              " bytes of flash for constants and about " + std::to_string(code_bytes) +
                              " for code";
    if (arguments.max_flash > 0) {
        const auto room = static_cast<std::size_t>(arguments.max_flash);
        if (constants + code_bytes > room) {
            const std::size_t parameters = room > code_bytes ? (room - code_bytes) / sizeof(float) : 0;
            untoward::fail(needs, ", more than --max-flash ", arguments.max_flash,
                           "; what would fit has at most ", parameters,
                           " numbers in all: fewer units (untoward fit --hidden) or columns");
        }
    }
    io::AtomicFile file(arguments.header);
    file.write(model.header(arguments.name_space, {}));
    file.commit();
    std::fprintf(stderr, "%s\nwrote %s\n", needs.c_str(), io::output_name(arguments.header).c_str());
}

}  // namespace program
