# SPDX-License-Identifier: MIT
"""Writes npy.hpp: NPY files as NumPy makes them, as bytes. Debian 12: /usr/bin/python3 with python3-numpy 1.24.

    /usr/bin/python3 tests/reference/npy.py > tests/reference/npy.hpp
"""
import io
import warnings

import numpy as np

table = np.array([[0.5, -1.25, 3.0], [1e10, -0.0, 2.0 ** -20]])
whole = np.array([[1, 2, 3], [100, 5, 120]])
arrays = {
    "f4": (table.astype("<f4"), None),
    "f8": (table.astype("<f8"), None),
    "f4_fortran": (np.asfortranarray(table.astype("<f4")), None),
    "f8_fortran": (np.asfortranarray(table.astype("<f8")), None),
    "f4_big": (table.astype(">f4"), None),
    "f8_big_fortran": (np.asfortranarray(table.astype(">f8")), None),
    "f2": (np.array([[0.5, -1.25], [65504, np.inf]], "<f2"), None),
    "f4_special": (np.array([np.nan, np.inf, -np.inf, 1e-45], "<f4"), None),
    "i1": (whole.astype("i1"), None),
    "u1": (whole.astype("u1"), None),
    "i2_big": (-whole.astype(">i2"), None),
    "u2": (whole.astype("<u2"), None),
    "i4": (-whole.astype("<i4"), None),
    "u4": (whole.astype("<u4"), None),
    "i8": (-whole.astype("<i8"), None),
    "u8": (whole.astype("<u8"), None),
    "b1": (np.array([True, False, True]), None),
    "labels": (np.array([0, 1, 1, 0], "<i4"), None),
    "version_2": (table.astype("<f4"), (2, 0)),
    "version_3": (table.astype("<f4"), (3, 0)),
    "no_rows": (np.zeros((0, 5), "<f4"), None),
    # What this library must refuse.
    "no_columns": (np.zeros((5, 0), "<f4"), None),
    "scalar": (np.array(1.0), None),
    "volume": (np.zeros((2, 2, 2), "<f4"), None),
    "complex": (np.zeros((2, 2), "<c8"), None),
    "text": (np.array(["a", "b"]), None),
    "records": (np.zeros(2, [("a", "<f4"), ("b", "<i4")]), None),
}

print("// SPDX-License-Identifier: MIT")
print("// clang-format off")
print("#pragma once\n")
print(f"// Made by npy.py with NumPy {np.__version__}.\n")
print("#include <string>\n")
print("namespace npy_reference {\n")
for name, (array, version) in arrays.items():
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.lib.format.write_array(file, array, version=version)
    data = file.getvalue()
    print(f"/// {array.dtype.str} {array.shape}")
    print(f"inline const std::string {name}(")
    for at in range(0, len(data), 24):
        # Octal always takes three digits, so that what follows cannot run into it.
        print('    "' + "".join(f"\\{byte:03o}" for byte in data[at:at + 24]) + '"')
    print(f"    , {len(data)});\n")
print("}  // namespace npy_reference")
