# Reads the copies beside the type descriptions: there a file's own folder is its module, as it is in the program.
file(GLOB_RECURSE files "${IMPORTS}/Vivavoce/*.qml")
if(NOT files)
  message(FATAL_ERROR "no QML file below ${IMPORTS}")
endif()
execute_process(COMMAND "${QMLLINT}" -I "${IMPORTS}" ${files} RESULT_VARIABLE code OUTPUT_VARIABLE words ERROR_VARIABLE words)
if(NOT code EQUAL 0 OR words MATCHES "Warning:|Error:|Info:")
  message(FATAL_ERROR "qmllint: ${code}\n${words}")
endif()
