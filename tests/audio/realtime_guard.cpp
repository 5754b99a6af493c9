#include "tests/audio/realtime_guard.h"

#include "audio/rt/realtime.h"

// Sanitizers replace the same functions. Clang tells of them in a way of its own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VV_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VV_IS_SANITIZED 1
#endif

#if defined(__linux__) && !defined(VV_IS_SANITIZED)
#define VV_CAN_GUARD 1
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

using vivavoce::audio::rt::RealtimeScope;

namespace {

void refuse(const char* message, std::size_t size)
{
    [[maybe_unused]] const auto written = ::syscall(SYS_write, STDERR_FILENO, message, size);
    std::abort();
}

template <std::size_t Size>
void guard(const char (&message)[Size])
{
    if (RealtimeScope::isOpen()) {
        refuse(message, Size - 1);
    }
}

/// The function that ours stands before.
template <typename Function>
Function next(const char* name)
{
    Function real = nullptr;
    *static_cast<void**>(static_cast<void*>(&real)) = dlsym(RTLD_NEXT, name);
    return real;
}

} // namespace

// glibc's own, under the names that it keeps for such replacements.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void __libc_free(void* block);

__attribute__((visibility("default"))) void* malloc(std::size_t size)
{
    guard("malloc on the device thread\n");
    return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size)
{
    guard("calloc on the device thread\n");
    return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* block, std::size_t size)
{
    guard("realloc on the device thread\n");
    return __libc_realloc(block, size);
}
__attribute__((visibility("default"))) void free(void* block)
{
    guard("free on the device thread\n");
    __libc_free(block);
}
__attribute__((visibility("default"))) int pthread_mutex_lock(pthread_mutex_t* mutex)
{
    guard("a lock on the device thread\n");
    using Lock = int (*)(pthread_mutex_t*);
    // Not initialised where it stands: looking it up may lock, and come by here again.
    static Lock real = nullptr;
    if (real == nullptr) {
        real = next<Lock>("pthread_mutex_lock");
    }
    return real(mutex);
}
// What logs end in.
__attribute__((visibility("default"))) ssize_t write(int file, const void* bytes, std::size_t size)
{
    guard("a write on the device thread\n");
    static const auto real = next<ssize_t (*)(int, const void*, std::size_t)>("write");
    return real(file, bytes, size);
}
__attribute__((visibility("default"))) std::size_t fwrite(
    const void* bytes, std::size_t size, std::size_t count, FILE* file)
{
    guard("a write on the device thread\n");
    static const auto real = next<std::size_t (*)(const void*, std::size_t, std::size_t, FILE*)>("fwrite");
    return real(bytes, size, count, file);
}
__attribute__((visibility("default"))) int fputs(const char* text, FILE* file)
{
    guard("a write on the device thread\n");
    static const auto real = next<int (*)(const char*, FILE*)>("fputs");
    return real(text, file);
}
__attribute__((visibility("default"))) int vfprintf(FILE* file, const char* format, std::va_list arguments)
{
    guard("a write on the device thread\n");
    static const auto real = next<int (*)(FILE*, const char*, std::va_list)>("vfprintf");
    return real(file, format, arguments);
}
__attribute__((visibility("default"))) int fprintf(FILE* file, const char* format, ...)
{
    std::va_list arguments;
    va_start(arguments, format);
    const int written = vfprintf(file, format, arguments);
    va_end(arguments);
    return written;
}
}
#endif

namespace vivavoce::tests {

bool isRealtimeGuarded()
{
#ifdef VV_CAN_GUARD
    return true;
#else
    return false;
#endif
}

} // namespace vivavoce::tests
