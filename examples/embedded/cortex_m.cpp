// SPDX-License-Identifier: MIT
// The platform of a Cortex-M without an operating system: start-up, and semihosting, by which a debugger or an emulator
// shows text. It asks nothing of a C library but memcpy, memmove and memset.
#include "platform.hpp"

int main();

extern "C" {
// From the linker script.
extern std::uint32_t data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[], stack_end[];
extern void (*init_begin[])();
extern void (*init_end[])();

void reset();
void fault();
}

namespace {

constexpr std::uint32_t paint = 0x5a5a5a5a;

// A call of the debugger; the immediate tells it from other breakpoints.
int semihost(int operation, const void* argument) {
    register int r0 asm("r0") = operation;
    register const void* r1 asm("r1") = argument;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}
constexpr int sys_write0 = 0x04;
constexpr int sys_exit_extended = 0x20;

[[noreturn]] void stop(std::uint32_t status) {
    constexpr std::uint32_t application_exit = 0x20026;
    const std::uint32_t block[2] = {application_exit, status};
    while (true) semihost(sys_exit_extended, block);
}

volatile std::uint32_t& at(std::uint32_t address) {
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}
constexpr std::uint32_t systick_control = 0xe000e010;
constexpr std::uint32_t systick_reload = 0xe000e014;
constexpr std::uint32_t systick_value = 0xe000e018;
constexpr std::uint32_t coprocessor_access = 0xe000ed88;
constexpr std::uint32_t systick_top = 0xffffff;

// Everything between the variables and this function's frame.
void paint_stack() {
    volatile std::uint32_t here;
    for (volatile std::uint32_t* word = bss_end; word + 8 < &here; ++word) *word = paint;
}

}  // namespace

extern "C" {

__attribute__((section(".vectors"), used)) void (*const vectors[])() = {
    reinterpret_cast<void (*)()>(stack_end), reset, fault, fault, fault, fault, fault};

void reset() {
#ifdef __ARM_FP
    at(coprocessor_access) = at(coprocessor_access) | 0xfu << 20;  // the floating-point unit is off at first
    asm volatile("dsb\n isb");
#endif
    const std::uint32_t* from = data_in_flash;
    for (std::uint32_t* to = data_begin; to < data_end;) *to++ = *from++;
    for (std::uint32_t* to = bss_begin; to < bss_end;) *to++ = 0;
    for (auto constructor = init_begin; constructor != init_end; ++constructor) (*constructor)();
    at(systick_reload) = systick_top;
    at(systick_value) = 0;
    at(systick_control) = 5;  // on, of the processor's clock
    paint_stack();
    stop(static_cast<std::uint32_t>(main()));
}

void fault() {
    platform::print("fault\n");
    stop(99);
}

}  // extern "C"

namespace platform {

void print(const char* text) {
    semihost(sys_write0, text);
}

// The boards run at 25 MHz; QEMU's -icount shift=0 says that an instruction takes a nanosecond.
std::uint32_t instructions() {
    constexpr std::uint32_t nanoseconds_a_tick = 40;
    return (systick_top - at(systick_value)) * nanoseconds_a_tick;
}

std::uint32_t stack_used() {
    volatile std::uint32_t here;
    volatile std::uint32_t* word = bss_end;
    while (word < &here && *word == paint) ++word;
    const auto used = reinterpret_cast<std::uintptr_t>(&here) - reinterpret_cast<std::uintptr_t>(word);
    paint_stack();
    return used;
}

}  // namespace platform
