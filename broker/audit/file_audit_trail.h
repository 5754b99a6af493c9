#pragma once

#include "broker/audit/audit_file.h"
#include "broker/audit/audit_trail.h"
#include "broker/log.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <thread>

namespace vivavoce::broker {

/// Within the broker's folder, that of the trail which `vivavoce-broker project` writes: each has one writer.
inline constexpr const char* kCommandLineChain = "command-line";

/// The trail as JSON lines in a folder, hash-chained (docs/operations.md). One thread writes; whoever hands in records while it does
/// shares the next fdatasync. The queue is bounded and refuses what does not fit.
/// A fault fails every record of its turn; each later record tries anew, so that no restart is needed. Where none comes, because whoever
/// sends requests here has noticed, the trail tries by itself, and its first line then says that it was away.
/// Threads: append [any thread]. Lifetime: clock and log outlive it. Its destructor blocks for as long as the disk takes over what is
/// queued, but at most `patience`, or as closeBy() says; a disk that hangs for longer keeps its thread, and nothing of ours waits for it.
class FileAuditTrail final : public AuditTrail {
public:
    struct Settings {
        std::filesystem::path folder;
        /// A file that has grown this far is the last but one.
        std::uint64_t rotateBytes = 64 * 1024 * 1024;
        std::size_t maxQueued = 4096;
        /// Denials are taken only while less than this waits: whoever is refused over and over must not hold up what others are granted.
        std::size_t maxQueuedForDenials = 1024;
        /// How long a caller waits for the disk.
        core::Milliseconds patience{10'000};
        /// How often it is tried whether it can be written again, while nobody hands in a record.
        core::Milliseconds probeEvery{1'000};
    };
    struct Dependencies {
        const core::Clock& clock;
        Log& log;
    };
    using Created = core::Expected<std::unique_ptr<FileAuditTrail>, core::Error>;

    /// Opens the trail and goes on with its chain. OutputUnwritable, AlreadyRunning (another process writes there), BadConfiguration (the
    /// last line is not one of ours).
    [[nodiscard]] static Created create(const Settings& settings, Dependencies dependencies);
    /// The same with another way to the files of that folder.
    [[nodiscard]] static Created create(
        const Settings& settings, Dependencies dependencies, std::unique_ptr<AuditFile> file);
    ~FileAuditTrail() override;
    FileAuditTrail(const FileAuditTrail&) = delete;
    FileAuditTrail& operator=(const FileAuditTrail&) = delete;

    [[nodiscard]] net::Awaitable<Appended> append(AuditRecord record) override;
    /// The last turn of writing went well, and the present one has not taken longer than `patience`. [any thread]
    [[nodiscard]] bool isWorking() const override;
    [[nodiscard]] AuditCounts counts() const override;
    void closeBy(std::chrono::steady_clock::time_point end) override;

private:
    struct State;
    explicit FileAuditTrail(std::shared_ptr<State> state);

    const std::shared_ptr<State> m_state;
    std::thread m_thread;
};

} // namespace vivavoce::broker
