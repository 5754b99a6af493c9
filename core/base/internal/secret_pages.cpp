#include "core/base/internal/secret_pages.h"

#include <mutex>
#include <new>
#include <vector>

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace vivavoce::core::internal {
namespace {

#ifdef _WIN32

std::size_t pageSize()
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return info.dwPageSize;
}

char* map(std::size_t size)
{
    void* pages = VirtualAlloc(nullptr, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (pages == nullptr) {
        throw std::bad_alloc();
    }
    VirtualLock(pages, size);
    return static_cast<char*>(pages);
}

void unmap(char* pages, std::size_t) noexcept
{
    VirtualFree(pages, 0, MEM_RELEASE);
}

#else

std::size_t pageSize()
{
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

char* map(std::size_t size)
{
    void* pages = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        throw std::bad_alloc();
    }
    // Both can be refused (a small RLIMIT_MEMLOCK): the secret is still wiped, which is the part that we can promise.
    (void)mlock(pages, size);
#ifdef MADV_DONTDUMP
    (void)madvise(pages, size, MADV_DONTDUMP);
#endif
    return static_cast<char*>(pages);
}

void unmap(char* pages, std::size_t size) noexcept
{
    munmap(pages, size);
}

#endif

/// Pages that held a secret and will hold another one: a server makes and forgets thousands in a second, and each map, lock and unmap
/// stops all of its threads. [any thread]
class SparePages {
public:
    /// A quarter of a MiB, of the several that a process may lock. With a sanitizer none: it sees who looks into what was given back.
#ifdef VV_SANITIZED
    static constexpr std::size_t kMost = 0;
#else
    static constexpr std::size_t kMost = 64;
#endif

    SparePages()
    {
        m_pages.reserve(kMost);
    }

    [[nodiscard]] char* take()
    {
        const std::lock_guard lock(m_mutex);
        if (m_pages.empty()) {
            return nullptr;
        }
        char* const page = m_pages.back();
        m_pages.pop_back();
        return page;
    }
    /// False: there are enough.
    [[nodiscard]] bool keep(char* page) noexcept
    {
        const std::lock_guard lock(m_mutex);
        if (m_pages.size() == kMost) {
            return false;
        }
        m_pages.push_back(page);
        return true;
    }

private:
    std::mutex m_mutex;
    std::vector<char*> m_pages;
};

SparePages& sparePages()
{
    // Never destroyed: secrets of other objects that live as long as the program are given back later.
    static auto* const pages = new SparePages();
    return *pages;
}

std::size_t wholePages(std::size_t size)
{
    const std::size_t page = pageSize();
    return (size + page - 1) / page * page;
}

} // namespace

char* allocateSecretPages(std::size_t size)
{
    const std::size_t whole = wholePages(size);
    char* const spare = whole == pageSize() ? sparePages().take() : nullptr;
    return spare != nullptr ? spare : map(whole);
}

void freeSecretPages(char* pages, std::size_t size) noexcept
{
    const std::size_t whole = wholePages(size);
    if (whole != pageSize() || !sparePages().keep(pages)) {
        unmap(pages, whole);
    }
}

} // namespace vivavoce::core::internal
