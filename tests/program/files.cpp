// SPDX-License-Identifier: MIT
// Places that cannot be read or written, disks that are full, files that are cut off or damaged.

#include <unistd.h>

#include "support/program.hpp"
#include "untoward/core/error.hpp"
#include "untoward/io/safetensors.hpp"

using namespace untoward_test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("places that cannot be read or written") {
    const Folder folder;
    const std::string model = folder / "m";
    const std::string train = folder / "train.csv";
    write_text(train, numeric_csv(60));
    run_well({"fit", train, "--model", model, "--epochs", "1", "--quiet"});

    const std::string directory = folder.path().string();
    require_refusal({"fit", directory, "--model", model}, {directory + ": is a directory"});
    require_refusal({"score", directory, "--model", model, "--out", "-"}, {directory + ": is a directory"});
    require_refusal({"score", train, "--model", directory, "--out", "-"}, {directory + ": is a directory"});
    require_refusal({"info", directory}, {directory + ": is a directory"});
    require_refusal({"info", folder / "nothing"}, {"nothing: cannot be opened: No such file or directory"});
    require_refusal({"fit", folder / "nothing.csv", "--model", model},
                    {"nothing.csv: cannot be opened: No such file or directory"});
    require_refusal({"score", train, "--model", model, "--out", directory}, {directory + ": is a directory"});
    require_refusal({"calibrate", train, "--model", model, "--false-alarm-rate", "0.1", "--out", directory},
                    {directory + ": is a directory"});
    for (const std::string& place : {folder / "train.csv/out", folder / "no/such/folder/out"}) {
        require_refusal({"score", train, "--model", model, "--out", place},
                        {place + ": cannot be written: "});
        require_refusal({"calibrate", train, "--model", model, "--false-alarm-rate", "0.1", "--out", place},
                        {place + ": cannot be written: "});
        // Before any training: the table is not even looked at.
        require_refusal({"fit", folder / "nothing.csv", "--model", place}, {place + ": cannot be written: "});
    }
    require_refusal({"fit", folder / "nothing.csv", "--model", directory}, {directory + ": is a directory"});
    CHECK(folder.entries() == 2);
}

TEST_CASE("a full disk costs nothing that was there") {
    const Folder folder;
    const std::string model = folder / "m";
    const std::string train = folder / "train.csv";
    write_text(train, numeric_csv(60));
    run_well({"fit", train, "--model", model, "--epochs", "1", "--quiet"});
    const std::string old_model = read_text(model);

    require_refusal({"score", train, "--model", model, "--out", "/dev/full"},
                    {"/dev/full: cannot be written: No space left on device"});
    require_refusal({"fit", train, "--model", "/dev/full", "--epochs", "1", "--quiet"},
                    {"/dev/full: cannot be written: "});
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"info", model}, {"fit", "--help"}}) {
        require_refusal(arguments, {"standard output: cannot be written: No space left on device"},
                        {.output = "/dev/full"});
    }
    CHECK(
        run({"evaluate", train, "--model", model, "--label", "n0", "--json"}, {.output = "/dev/full"}).code ==
        2);

    // A limit on the size of files fails like a disk without room, half way through.
    const RunOptions small_disk{.before = "ulimit -f 100; trap '' XFSZ"};
    require_refusal({"fit", train, "--model", model, "--seed", "9", "--epochs", "1", "--quiet"},
                    {model + ": cannot be written: "}, small_disk);
    require_refusal({"calibrate", train, "--model", model, "--false-alarm-rate", "0.2", "--out", model},
                    {model + ": cannot be written: "}, small_disk);
    CHECK(read_text(model) == old_model);
    write_text(folder / "old.csv", "precious\n");
    write_text(folder / "many.csv", numeric_csv(3000));
    require_refusal({"score", folder / "many.csv", "--model", model, "--out", folder / "old.csv"},
                    {"old.csv: cannot be written: "}, small_disk);
    CHECK(read_text(folder / "old.csv") == "precious\n");
    CHECK(folder.entries() == 4);
}

TEST_CASE("a model file that is cut off or damaged is refused") {
    const Folder folder;
    const std::string model = folder / "m";
    const std::string train = folder / "train.csv";
    write_text(train, small_csv(60));
    run_well({"fit", train, "--model", model, "--epochs", "1", "--quiet"});
    const std::string bytes = read_text(model);
    REQUIRE(bytes.size() > 100000);

    // Every 64th byte through the loader that the program uses, some of them through the program.
    for (std::size_t size = 0; size < bytes.size(); size += 64) {
        INFO(size << " of " << bytes.size() << " bytes");
        REQUIRE_THROWS_AS(untoward::io::SafeTensors(bytes.substr(0, size), "cut"), untoward::Error);
        if (size % 6400 != 0 && size != 64) continue;
        write_text(folder / "cut", bytes.substr(0, size));
        require_refusal({"info", folder / "cut"}, {"cut: "});
    }
    write_text(folder / "cut", bytes.substr(0, bytes.size() - 1));
    require_refusal({"score", train, "--model", folder / "cut", "--out", folder / "scores"}, {"cut: "});
    write_text(folder / "cut", bytes + "x");
    require_refusal({"evaluate", train, "--model", folder / "cut", "--label", "a"}, {"cut: "});

    // One byte of it changed, here and there: in the header, the coding, weights, scaler, threshold.
    for (std::size_t at = 5; at < bytes.size(); at += bytes.size() / 20) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
        write_text(folder / "damaged", damaged);
        INFO("byte " << at);
        require_refusal({"info", folder / "damaged"}, {"damaged: "});
    }

    // Another's file of the same format, a table, nothing.
    untoward::io::SafeTensorsWriter writer;
    writer.metadata("format", "pt");
    writer.save(folder / "other");
    require_refusal({"info", folder / "other"}, {"other: format is 'pt', expected 'untoward detector'"});
    require_refusal({"info", train}, {"train.csv: "});
    write_text(folder / "empty", "");
    require_refusal({"info", folder / "empty"}, {"empty: "});
    CHECK(read_text(model) == bytes);
}
