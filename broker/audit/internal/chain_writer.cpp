#include "broker/audit/internal/chain_writer.h"

#include <cerrno>
#include <utility>

namespace vivavoce::broker::audit {

using Done = AuditFile::Result<void>;

ChainWriter::ChainWriter(std::unique_ptr<AuditFile> file, std::uint64_t rotateBytes)
    : m_file(std::move(file)), m_rotateBytes(rotateBytes)
{
}

Done ChainWriter::begin(ChainTail tail)
{
    if (!tail.torn.empty()) {
        if (auto kept = keepAside(tail); !kept) {
            return kept;
        }
    }
    m_head = tail.head;
    m_name = std::move(tail.file);
    m_size = tail.size;
    m_isSound = false;
    auto ready = prepare();
    m_isSound = ready.has_value();
    return ready;
}

Done ChainWriter::keepAside(const ChainTail& tail)
{
    if (auto opened = m_file->open(tail.file + ".torn"); !opened) {
        return opened;
    }
    return store(tail.torn + '\n');
}

Done ChainWriter::store(const std::string& bytes)
{
    if (auto appended = m_file->append(bytes); !appended) {
        return appended;
    }
    return m_file->sync();
}

Done ChainWriter::write(const std::vector<StampedRecord>& records)
{
    auto done = prepare();
    if (done) {
        ChainHead head = m_head;
        std::string lines;
        for (const StampedRecord& each : records) {
            lines += makeLine(each.record, each.time, head);
        }
        done = store(lines);
        if (done) {
            m_head = head;
            m_size += lines.size();
        }
    }
    m_isSound = done.has_value();
    return done;
}

Done ChainWriter::prepare()
{
    if (!m_isSound) {
        // After a failed fdatasync a handle may call durable what it has dropped: a new one, and the lines once more.
        if (auto opened = m_file->open(m_name); !opened) {
            return opened;
        }
    }
    const auto size = m_file->size();
    if (!size) {
        return core::Unexpected<AuditFileFault>(size.error());
    }
    if (!m_isSound && *size > m_size) {
        if (auto mended = cut(); !mended) {
            return mended;
        }
    } else if (*size != m_size) {
        // Somebody else had a hand in it. Let it be seen there, and go on elsewhere.
        return beginFile();
    }
    return m_size >= m_rotateBytes && m_size > 0 ? beginFile() : Done();
}

Done ChainWriter::cut()
{
    if (auto truncated = m_file->truncate(m_size); !truncated) {
        return truncated;
    }
    // Before anything is written in its place: a power cut must not mix the old blocks with the new.
    return m_file->sync();
}

Done ChainWriter::beginFile()
{
    std::string name = fileNameOf(m_head.sequence + 1);
    if (auto opened = m_file->open(name); !opened) {
        return opened;
    }
    const auto size = m_file->size();
    if (!size) {
        return core::Unexpected<AuditFileFault>(size.error());
    }
    if (*size != 0) {
        return core::Unexpected<AuditFileFault>(AuditFileFault{"begin", EEXIST});
    }
    m_name = std::move(name);
    m_size = 0;
    return {};
}

} // namespace vivavoce::broker::audit
