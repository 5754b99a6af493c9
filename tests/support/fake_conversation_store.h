#pragma once

#include "core/ports/conversation_store.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// Conversations in memory; the test says when the disk is full.
class FakeConversationStore final : public core::ConversationStore {
public:
    struct Kept {
        core::ConversationHead head;
        std::vector<core::TranscriptLine> lines;
    };

    core::Expected<void, core::Error> put(
        const core::ConversationHead& head, const core::TranscriptLine& line, std::string_view nextItemId) override
    {
        ++puts;
        if (damage) {
            const core::Error told = *std::exchange(damage, std::nullopt);
            return core::Unexpected<core::Error>(told);
        }
        if (fault) {
            return core::Unexpected<core::Error>(*fault);
        }
        Kept* conversation = known(head.id);
        if (conversation == nullptr) {
            conversation = &all.emplace_back(Kept{head, {}});
        }
        conversation->head = head;
        const auto isIt = [](std::string_view id) {
            return [id](const core::TranscriptLine& other) { return other.entry.itemId == id; };
        };
        auto& lines = conversation->lines;
        core::TranscriptLine heard = line;
        heard.entry.text = std::string(line.entry.heardText());
        heard.entry.heardBytes.reset();
        const auto place = std::find_if(lines.begin(), lines.end(), isIt(line.entry.itemId));
        if (place != lines.end()) {
            *place = heard;
        } else {
            lines.insert(std::find_if(lines.begin(), lines.end(), isIt(nextItemId)), heard);
        }
        return {};
    }
    core::Expected<void, core::Error> drop(const std::string& id, const std::string& itemId) override
    {
        if (fault) {
            return core::Unexpected<core::Error>(*fault);
        }
        if (Kept* conversation = known(id)) {
            std::erase_if(
                conversation->lines, [&](const core::TranscriptLine& line) { return line.entry.itemId == itemId; });
        }
        return {};
    }
    [[nodiscard]] core::Expected<std::vector<core::SavedConversation>, core::Error> find(
        const std::string& words) override
    {
        if (fault) {
            return core::Unexpected<core::Error>(*fault);
        }
        std::vector<core::SavedConversation> found;
        for (const Kept& conversation : all) {
            const auto hit = std::find_if(conversation.lines.begin(), conversation.lines.end(),
                [&](const core::TranscriptLine& line) { return line.entry.text.find(words) != std::string::npos; });
            if (hit != conversation.lines.end()) {
                found.push_back({conversation.head, conversation.lines.back().end,
                    static_cast<int>(conversation.lines.size()), hit->entry.text});
            }
        }
        std::reverse(found.begin(), found.end());
        return found;
    }
    [[nodiscard]] core::Expected<core::Transcript, core::Error> open(const std::string& id) override
    {
        const Kept* conversation = known(id);
        if (fault || conversation == nullptr) {
            return core::fail(core::ErrorCode::HistoryFailed, "gone");
        }
        return core::Transcript{conversation->head.startedAt, conversation->head.model, conversation->lines};
    }
    [[nodiscard]] bool isEmpty() override { return !fault && all.empty(); }
    core::Expected<void, core::Error> remove(const std::string& id) override
    {
        if (fault) {
            return core::Unexpected<core::Error>(*fault);
        }
        std::erase_if(all, [&](const Kept& conversation) { return conversation.head.id == id; });
        sounds.erase(id);
        if (isRead) {
            return core::fail(core::ErrorCode::HistoryFailed, "not yet overwritten");
        }
        return {};
    }
    core::Expected<void, core::Error> removeAll() override
    {
        if (fault) {
            return core::Unexpected<core::Error>(*fault);
        }
        all.clear();
        sounds.clear();
        return {};
    }

    core::Expected<std::string, core::Error> makeSound(const std::string& id, core::SoundFormat format) override
    {
        if (soundFault) {
            return core::Unexpected<core::Error>(*soundFault);
        }
        sounds.insert(id);
        return "/sound/" + id + (format == core::SoundFormat::Wav ? ".wav" : ".ogg");
    }
    [[nodiscard]] bool hasSound(const std::string& id) override { return sounds.count(id) > 0; }
    [[nodiscard]] std::optional<core::SavedSound> sound(const std::string& id) override
    {
        const Kept* conversation = known(id);
        if (conversation == nullptr || !conversation->head.soundStart) {
            return std::nullopt;
        }
        return core::SavedSound{hasSound(id) ? "/sound/" + id : std::string(), *conversation->head.soundStart};
    }
    void keepSound(const std::string& id) override { keptSounds.insert(id); }
    core::Expected<void, core::Error> dropSound(const std::string& id) override
    {
        sounds.erase(id);
        return {};
    }
    void dropLostSound() override
    {
        std::erase_if(sounds, [this](const std::string& id) { return known(id) == nullptr; });
    }

    std::vector<Kept> all;
    std::optional<core::Error> fault;
    /// Told once, for it is mended then.
    std::optional<core::Error> damage;
    /// Conversations of which there is a file with sound.
    std::set<std::string> sounds;
    /// Without a line.
    std::set<std::string> keptSounds;
    std::optional<core::Error> soundFault;
    /// Another program reads it: what is removed cannot be overwritten.
    bool isRead = false;
    int puts = 0;

private:
    [[nodiscard]] Kept* known(const std::string& id)
    {
        const auto found =
            std::find_if(all.begin(), all.end(), [&](const Kept& conversation) { return conversation.head.id == id; });
        return found == all.end() ? nullptr : &*found;
    }
};

} // namespace vivavoce::tests
