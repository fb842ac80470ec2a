"""The page that people read: server-rendered, in Chinese and English, quiet until something is abnormal."""
