// SPDX-License-Identifier: MIT
#include <cstdio>

#include "commands.hpp"
#include "model.hpp"

namespace program {

using untoward::Index;
namespace io = untoward::io;

namespace {

// A file may come from a stranger: nothing in it should reach the terminal as a control sequence.
std::string printable(const std::string& text) {
    const std::string quoted = io::in_quotes(text, text.size());
    return quoted.substr(1, quoted.size() - 2);
}

void line(const char* name, const std::string& text) {
    std::printf("%-10s %s\n", name, text.c_str());
}

const char* coding_name(io::ColumnKind kind) {
    switch (kind) {
        case io::ColumnKind::Number:
            return "number";
        case io::ColumnKind::Log1p:
            return "log(1 + x)";
        case io::ColumnKind::Text:
            return "one-hot";
    }
    return "?";
}

}  // namespace

void info(const std::string& path) {
    const Model model = Model::load(path);
    const io::TableCoding& coding = model.coding();
    const auto note = [&model](const char* key) {
        const auto found = model.notes().find(key);
        return found == model.notes().end() ? std::string("?") : printable(found->second);
    };
    line("file", io::input_name(path));
    line("model", printable(model.summary()));
    if (model.notes().count("fit.choice") > 0) line("choice", note("fit.choice"));
    if (model.notes().count("fit.latent_search") > 0) {
        line("latent", note("fit.latent_search"));
        for (const std::string& tried : io::detail::split_outside(note("fit.latent_sizes"), ';'))
            line("", "tried " + tried);
    }
    line("columns", std::to_string(coding.columns().size()) + ", coded as " +
                        std::to_string(coding.features()) + " features");
    line("fitted", note("fit.rows") + " rows: " + note("fit.training_rows") + " to train, " +
                       note("fit.held_out_rows") + " to choose the best step, " +
                       note("fit.calibration_rows") + " to calibrate; seed " + note("fit.seed") +
                       ", untoward " + note("fit.version"));
    const auto stopped = model.notes().find("fit.stopped_by");
    const bool whole = stopped == model.notes().end() || stopped->second.empty();
    line("training", note("fit.steps") + " steps" +
                         (whole ? "" : " (stopped: " + printable(stopped->second) + ")") + ", best " +
                         note("fit.best_step") + ": -ELBO " + note("fit.loss") + " nats a row; " +
                         note("fit.latent"));
    line("", note("fit.training"));
    const auto lines = [](const char* name, const std::vector<std::string>& texts) {
        for (std::size_t i = 0; i < texts.size(); ++i)
            line(i == 0 ? name : "",
                 (texts.size() > 1 ? std::to_string(i + 1) + ": " : "") + printable(texts[i]));
    };
    lines("scaler", model.scalers());
    lines("score", model.score_texts());
    line("threshold", printable(model.threshold().policy().text()) + ": " +
                          io::format_number(static_cast<double>(model.threshold().threshold())));
    line("promise", printable(model.promise()));
    std::printf("\n%-32s %-12s %14s %14s\n", "feature", "coding", "centre", "scale");
    for (Index i = 0; i < coding.features(); ++i) {
        const io::ColumnCoding& column = coding.columns()[static_cast<std::size_t>(coding.column_of(i))];
        const FeatureScale scale = model.scale(i);
        std::printf("%-32s %-12s %14s %14s%s\n", printable(coding.feature_name(i)).c_str(),
                    coding_name(column.kind), io::format_number(static_cast<double>(scale.centre), 6).c_str(),
                    io::format_number(static_cast<double>(scale.scale), 6).c_str(),
                    scale.is_constant ? "  constant" : "");
    }
}

}  // namespace program
