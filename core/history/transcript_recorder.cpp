#include "core/history/transcript_recorder.h"

#include "core/session/session_options.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vivavoce::core {
namespace {

/// A session sends so much of what it could not send, or was not understood, when it can.
constexpr std::chrono::seconds kSaidAgain{10};
/// It sends that at once, and what is speech in it is noticed by then.
constexpr std::chrono::seconds kSaidAgainIsHeard{3};

} // namespace

namespace {

bool isSpoken(const ConversationEntry& entry)
{
    return entry.speaker == Speaker::User && !entry.itemId.starts_with(SessionOptions().typedIdPrefix);
}

} // namespace

void TranscriptRecorder::told(const SessionNotice& notice)
{
    std::visit([this](const auto& what) { tellOf(what); }, notice);
}

void TranscriptRecorder::close()
{
    takeBackWithdrawn();
    closeUnfinished();
    for (Kept& kept : m_lines) {
        if (!kept.isSettled) {
            // Nobody has said how much of it was heard.
            kept.line.entry.wasInterrupted = kept.line.entry.wasInterrupted || m_activity == Activity::Speaking;
            kept.line.end = std::max(kept.line.end, elapsed());
            settle(kept);
        }
    }
    m_activity = Activity::Listening;
}

void TranscriptRecorder::closeUnfinished()
{
    for (Kept& kept : m_lines) {
        if (!kept.line.entry.isFinal) {
            kept.line.entry.isFinal = true;
            kept.line.entry.wasInterrupted = true;
            kept.line.end = std::max(kept.line.end, elapsed());
            settle(kept);
        }
        kept.isBeingSaid = false;
    }
    m_spoken.clear();
    m_isSaying = false;
    m_isCarriedOver = false;
}

void TranscriptRecorder::carryOver()
{
    const bool goesOn = m_isSaying && !m_hasStopped;
    Span span{elapsed(), elapsed(), m_isPrivate};
    if (goesOn && !m_spoken.empty()) {
        span.start = m_spoken.back().start;
    }
    const auto isPrivate = [](const auto& one) { return one.isPrivate; };
    const auto isPrivateStill = [](const Kept& kept) { return kept.isBeingSaid && kept.isPrivate; };
    span.isPrivate = span.isPrivate || std::any_of(m_spoken.begin(), m_spoken.end(), isPrivate)
        || std::any_of(m_lines.begin(), m_lines.end(), isPrivateStill)
        || std::any_of(m_withdrawn.begin(), m_withdrawn.end(), isPrivateStill);
    closeUnfinished();
    if (goesOn) {
        m_spoken.push_back(span);
        m_isSaying = m_isCarriedOver = true;
    }
}

void TranscriptRecorder::takeBackWithdrawn()
{
    for (Kept& kept : m_withdrawn) {
        const auto next = std::find_if(
            m_lines.begin(), m_lines.end(), [&](const Kept& other) { return other.line.start > kept.line.start; });
        m_lines.insert(next, std::move(kept));
    }
    m_withdrawn.clear();
}

void TranscriptRecorder::setPrivate(bool isPrivate)
{
    if (m_isPrivate && !isPrivate) {
        m_privateUntil = m_clock.now();
    }
    m_isPrivate = isPrivate;
    if (m_isPrivate) {
        for (Kept& kept : m_lines) {
            kept.isPrivate = kept.isPrivate || !kept.isSettled;
        }
        for (Kept& kept : m_withdrawn) {
            kept.isPrivate = true;
        }
        for (Span& span : m_spoken) {
            span.isPrivate = true;
        }
    }
}

bool TranscriptRecorder::isPrivate(std::string_view itemId) const
{
    return std::any_of(m_lines.rbegin(), m_lines.rend(),
        [&](const Kept& kept) { return kept.line.entry.itemId == itemId && kept.isPrivate; });
}

Transcript TranscriptRecorder::transcript() const
{
    Transcript transcript{m_startedAt, m_model, {}};
    for (const Kept& kept : m_lines) {
        if (kept.isSettled && !kept.line.entry.heardText().empty()) {
            transcript.lines.push_back(kept.line);
        }
    }
    return transcript;
}

const TranscriptLine* TranscriptRecorder::find(std::string_view itemId) const
{
    const auto found = std::find_if(m_lines.rbegin(), m_lines.rend(),
        [&](const Kept& kept) { return kept.isSettled && kept.line.entry.itemId == itemId; });
    return found == m_lines.rend() ? nullptr : &found->line;
}

std::string TranscriptRecorder::settledAfter(std::string_view itemId) const
{
    std::string next;
    for (auto kept = m_lines.rbegin(); kept != m_lines.rend() && kept->line.entry.itemId != itemId; ++kept) {
        if (kept->isSettled) {
            next = kept->line.entry.itemId;
        }
    }
    return next;
}

std::vector<std::string> TranscriptRecorder::takeNews()
{
    std::vector<std::string> news;
    for (Kept& kept : m_lines) {
        if (std::exchange(kept.isNews, false)) {
            news.push_back(kept.line.entry.itemId);
        }
    }
    return news;
}

void TranscriptRecorder::tellOf(const session_notice::PhaseChanged& changed)
{
    if (!m_begin && changed.phase != Phase::Idle && changed.phase != Phase::Ended) {
        m_begin = m_clock.now();
        m_startedAt = m_clock.wallNow();
    }
    m_phase = changed.phase;
    reach();
    if (changed.phase == Phase::Waiting) {
        // The connection that was to finish them is gone; the speech without words is heard again over the next one. What has come of
        // a reply may be heard for a while yet.
        carryOver();
    }
}

void TranscriptRecorder::tellOf(const session_notice::ActivityChanged& changed)
{
    const Activity before = std::exchange(m_activity, changed.activity);
    reach();
    if (before != m_activity) {
        followSpeech(before);
    }
    if (before == Activity::Speaking && before != m_activity) {
        settleReplies();
    }
}

void TranscriptRecorder::followSpeech(Activity before)
{
    if (before == Activity::HearingUser) {
        if (m_isSaying && !m_spoken.empty()) {
            m_spoken.back().end = elapsed();
        }
        for (Kept& kept : m_lines) {
            if (kept.isBeingSaid) {
                kept.line.end = elapsed();
                kept.isNews = kept.isNews || kept.isSettled;
            }
        }
    }
    if (m_activity == Activity::HearingUser) {
        speechBegins();
    } else if (m_isSaying && m_activity != Activity::Stalled) {
        speechEnds();
    }
}

void TranscriptRecorder::speechBegins()
{
    const bool isPrivate = m_isPrivate || m_clock.now() < m_heardLateUntil;
    if (!m_isSaying || m_hasStopped) {
        m_spoken.push_back({elapsed(), elapsed(), isPrivate});
        m_isSaying = true;
        m_hasStopped = m_isCarriedOver = false;
        return;
    }
    // After a stall: still the same turn.
    if (!m_spoken.empty()) {
        m_spoken.back().isPrivate = m_spoken.back().isPrivate || isPrivate;
    }
    for (Kept& kept : m_lines) {
        kept.isPrivate = kept.isPrivate || (kept.isBeingSaid && isPrivate);
    }
}

void TranscriptRecorder::speechEnds()
{
    m_isSaying = false;
    if (std::exchange(m_isCarriedOver, false) && !m_hasStopped && !m_spoken.empty()) {
        // It is said again over this connection, and noticed anew.
        m_spoken.pop_back();
    }
    for (Kept& kept : m_lines) {
        kept.isBeingSaid = false;
    }
}

void TranscriptRecorder::tellOf(const session_notice::SpeechStopped& stopped)
{
    m_hasStopped = true;
    if (stopped.wasNone && m_isSaying) {
        // The words of the next turn are not to take its place.
        if (!m_spoken.empty()) {
            m_spoken.pop_back();
        }
        speechEnds();
    }
}

void TranscriptRecorder::tellOf(const session_notice::TranscriptChanged& changed)
{
    if (isSpoken(changed.entry) && !changed.entry.text.empty()) {
        m_withdrawn.clear();
    }
    Kept& kept = upsert(changed);
    const bool isReply = changed.entry.speaker == Speaker::Assistant;
    if (kept.isSettled && kept.line.entry == changed.entry) {
        return;
    }
    // The provider writes replies down ahead of the sound.
    const bool isBeingHeard = isReply && m_activity == Activity::Speaking && !changed.entry.wasInterrupted;
    kept.line.entry = changed.entry;
    kept.isPrivate = kept.isPrivate || m_isPrivate;
    if (kept.isBeingSaid || (isReply && !kept.isSettled)) {
        kept.line.end = std::max(kept.line.end, elapsed());
    }
    if (changed.entry.isFinal && !isBeingHeard) {
        settle(kept);
    }
}

void TranscriptRecorder::tellOf(const session_notice::TranscriptRemoved& removed)
{
    const auto line = std::find_if(
        m_lines.begin(), m_lines.end(), [&](const Kept& kept) { return kept.line.entry.itemId == removed.itemId; });
    if (line == m_lines.end()) {
        return;
    }
    const ConversationEntry& entry = line->line.entry;
    if (entry.speaker == Speaker::User && !entry.isFinal && !entry.text.empty()) {
        m_withdrawn.push_back(std::move(*line));
    }
    m_lines.erase(line);
}

void TranscriptRecorder::tellOf(const session_notice::TokenChanged& changed)
{
    if (!changed.model.empty()) {
        m_model = changed.model;
    }
}

void TranscriptRecorder::tellOf(const session_notice::Ended&)
{
    // What was cut off was told as such before.
    m_activity = Activity::Listening;
    close();
}

TranscriptRecorder::Kept& TranscriptRecorder::upsert(const session_notice::TranscriptChanged& changed)
{
    const auto isIt = [](std::string_view id) {
        return [id](const Kept& kept) { return kept.line.entry.itemId == id; };
    };
    if (const auto known = std::find_if(m_lines.rbegin(), m_lines.rend(), isIt(changed.entry.itemId));
        known != m_lines.rend()) {
        return *known;
    }
    Kept kept;
    kept.line.entry = changed.entry;
    kept.line.start = kept.line.end = elapsed();
    const auto next = changed.nextItemId.empty()
        ? m_lines.end()
        : std::find_if(m_lines.begin(), m_lines.end(), isIt(changed.nextItemId));
    if (isSpoken(changed.entry) && !m_spoken.empty()) {
        const Span span = takeSpan(next == m_lines.begin() ? nullptr : &std::prev(next)->line);
        kept.line.start = span.start;
        kept.line.end = span.end;
        kept.isPrivate = span.isPrivate;
        kept.isBeingSaid = m_isSaying && m_spoken.empty();
    }
    return *m_lines.insert(next, std::move(kept));
}

TranscriptRecorder::Span TranscriptRecorder::takeSpan(const TranscriptLine* previous)
{
    // Not every turn gets words. Of those that were over before the line in front of these words, only the last may be meant.
    const auto isPassed = [&] {
        const bool hasNextEnded = m_spoken.size() > 2 || (m_spoken.size() == 2 && !m_isSaying);
        return previous != nullptr && hasNextEnded && m_spoken.front().end < previous->start;
    };
    bool isPrivate = false;
    while (isPassed()) {
        isPrivate = isPrivate || m_spoken.front().isPrivate;
        m_spoken.pop_front();
    }
    Span span = m_spoken.front();
    m_spoken.pop_front();
    // It was a guess.
    span.isPrivate = span.isPrivate || isPrivate;
    return span;
}

void TranscriptRecorder::settle(Kept& kept)
{
    kept.isSettled = true;
    kept.isNews = true;
}

void TranscriptRecorder::settleReplies()
{
    for (Kept& kept : m_lines) {
        if (!kept.isSettled && kept.line.entry.speaker == Speaker::Assistant) {
            kept.line.end = std::max(kept.line.end, elapsed());
            if (kept.line.entry.isFinal) {
                settle(kept);
            }
        }
    }
}

void TranscriptRecorder::reach()
{
    const bool isReached = m_phase == Phase::Live && m_activity != Activity::Stalled;
    if (std::exchange(m_isReached, isReached) == isReached) {
        return;
    }
    if (!isReached) {
        m_unreachedSince = m_clock.now();
    } else if (m_isPrivate || (m_privateUntil && *m_privateUntil + kSaidAgain >= m_unreachedSince)) {
        m_heardLateUntil = m_clock.now() + kSaidAgainIsHeard;
    }
}

Milliseconds TranscriptRecorder::elapsed() const
{
    return m_begin ? std::chrono::duration_cast<Milliseconds>(m_clock.now() - *m_begin) : Milliseconds{0};
}

} // namespace vivavoce::core
