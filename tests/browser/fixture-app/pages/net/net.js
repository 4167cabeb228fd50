Page({ data: { text: "" } })
