#include "core/base/internal/secret_pages.h"

#include <new>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace vivavoce::core::internal {

#ifdef _WIN32

char* allocateSecretPages(std::size_t size)
{
    void* pages = VirtualAlloc(nullptr, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (pages == nullptr) {
        throw std::bad_alloc();
    }
    VirtualLock(pages, size);
    return static_cast<char*>(pages);
}

void freeSecretPages(char* pages, std::size_t) noexcept
{
    VirtualFree(pages, 0, MEM_RELEASE);
}

#else

namespace {

std::size_t wholePages(std::size_t size)
{
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return (size + page - 1) / page * page;
}

} // namespace

char* allocateSecretPages(std::size_t size)
{
    void* pages = mmap(nullptr, wholePages(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        throw std::bad_alloc();
    }
    // Both can be refused (a small RLIMIT_MEMLOCK): the secret is still wiped, which is the part that we can promise.
    (void)mlock(pages, wholePages(size));
#ifdef MADV_DONTDUMP
    (void)madvise(pages, wholePages(size), MADV_DONTDUMP);
#endif
    return static_cast<char*>(pages);
}

void freeSecretPages(char* pages, std::size_t size) noexcept
{
    munmap(pages, wholePages(size));
}

#endif

} // namespace vivavoce::core::internal
