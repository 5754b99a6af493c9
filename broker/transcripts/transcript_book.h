#pragma once

#include "broker/fault.h"
#include "broker/store/database.h"
#include "broker/transcripts/line.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::transcripts {

/// Who looks: sees their own transcripts, and those of projects whose admin they are.
struct Reader {
    /// auth::Caller::key.
    std::string caller;
    /// An admin of the broker, and so of all projects.
    bool isAdminOfAll = false;
    /// Admins of projects are named in the table of their members.
    bool areAdminsInTable = false;
};

struct TranscriptQuery {
    /// Compared without case; nothing of it is a wildcard.
    std::optional<std::string> text;
    std::optional<std::string> project;
    std::optional<std::string> caller;
    /// When the session began: not before, and before.
    std::optional<core::WallTime> from;
    std::optional<core::WallTime> to;
    /// The session of the last one of the page before.
    std::optional<std::string> before;
    std::size_t most = 50;
};

struct TranscriptHead {
    Conversation of;
    core::WallTime lastAt{};
    core::WallTime keptUntil{};
    std::size_t lines = 0;
    /// False: something that was said is not there, or may not be.
    bool isWhole = true;
};

struct Transcript {
    TranscriptHead head;
    /// In the order of the conversation. Of a search: the first ones that match.
    std::vector<Line> lines;
};

/// Deletes some of what there is of a project, and has nothing more written of those sessions. False: there may be more.
[[nodiscard]] bool removeTranscriptsOf(Connection& sql, const std::string& project, core::WallTime now);

/// What was said, for those who may read it.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: database and clock outlive it.
class TranscriptBook {
public:
    static constexpr std::size_t kMostListed = 100;
    /// Lines of each that a search shows.
    static constexpr std::size_t kMostMatches = 3;
    template <typename T>
    using Result = net::Awaitable<core::Expected<T, Fault>>;

    struct Page {
        std::vector<Transcript> transcripts;
        /// Where the next one begins; nothing: there is no more. A page may be shorter than it could be, and not the last one.
        std::optional<std::string> next;
    };

    TranscriptBook(Database& database, const core::Clock& clock) : m_database(database), m_clock(clock) {}

    // All of them: Unavailable.
    /// The newest session first.
    [[nodiscard]] Result<Page> search(Reader reader, TranscriptQuery query) const;
    /// Whether they are an admin of that project, or of any where none is named.
    [[nodiscard]] Result<bool> isAdmin(Reader reader, std::optional<std::string> project = std::nullopt) const;
    /// NotFound, also where it is not theirs to read.
    [[nodiscard]] Result<Transcript> find(Reader reader, std::string session) const;
    /// The same with all that is said in each of a page, for exports.
    [[nodiscard]] Result<Page> whole(Reader reader, TranscriptQuery query) const;
    /// Whose it is that `remove` would delete: auth::Caller::key. NotFound as there.
    [[nodiscard]] Result<std::string> whose(Reader reader, std::string session) const;
    /// NotFound, but for a session that may get a transcript yet. What goes on to be said in it, and what waits to be written, is not kept.
    [[nodiscard]] Result<bool> remove(Reader reader, std::string session);
    /// Those of a user, of one project where it is named, as far as they are theirs to delete, and what is said in the sessions that there are.
    /// How many transcripts there were.
    [[nodiscard]] Result<std::size_t> removeOf(Reader reader, std::string caller, std::optional<std::string> project);

private:
    template <typename T>
    [[nodiscard]] Result<T> ask(std::function<core::Expected<T, Fault>(Connection&)> work) const;

    Database& m_database;
    const core::Clock& m_clock;
};

} // namespace vivavoce::broker::transcripts
