#pragma once

#include <stddef.h>
#include <stdint.h>

// The one entry point of libFuzzer that a program with its own `main` calls. Reads libFuzzer's
// options from the arguments and does not come back before it is done; a finding ends the process.
int LLVMFuzzerRunDriver(
    int *count, char ***arguments, int (*body)(const uint8_t *data, size_t size));
